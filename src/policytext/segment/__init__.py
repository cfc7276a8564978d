"""Split documents into passages and words."""

from policytext.segment.passages import Segmenter, sentences
from policytext.segment.sensitivity import Instrument, agreement, instruments

__all__ = ["Instrument", "Segmenter", "agreement", "instruments", "sentences"]
