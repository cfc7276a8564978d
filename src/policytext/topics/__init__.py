"""What a corpus speaks of besides the codebook."""

from policytext.topics.models import EmptyVocabulary, TopicModel, fit, load

__all__ = ["EmptyVocabulary", "TopicModel", "fit", "load"]
