"""What a corpus speaks of besides the codebook."""

from policytext.topics.models import EmptyVocabulary, TopicModel, fit, load
from policytext.topics.quality import compare, judge

__all__ = ["EmptyVocabulary", "TopicModel", "compare", "fit", "judge", "load"]
