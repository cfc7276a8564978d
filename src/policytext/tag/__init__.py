"""Which labels a passage gets, and why."""

from policytext.tag.classifier import Classifier
from policytext.tag.embeddings import Embedder
from policytext.tag.overlap import copies
from policytext.tag.tagger import Evidence, TagColumns, Tagger
from policytext.tag.tokens import Spacy, TokenPatterns
from policytext.tag.train import TrainConfig, TrainingSet, Unlabelled, train

__all__ = [
    "Classifier",
    "Embedder",
    "Evidence",
    "Spacy",
    "TagColumns",
    "Tagger",
    "TokenPatterns",
    "TrainConfig",
    "TrainingSet",
    "Unlabelled",
    "copies",
    "train",
]
