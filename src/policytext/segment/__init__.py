"""Split documents into passages and words."""

from policytext.segment.passages import Segmenter

__all__ = ["Segmenter"]
