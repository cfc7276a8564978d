"""What a corpus speaks of besides the codebook."""

from policytext.topics.models import TopicModel, fit, load

__all__ = ["TopicModel", "fit", "load"]
