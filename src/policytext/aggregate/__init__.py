"""Shares over time, with intervals; words in context; words that mark a part of the corpus."""

from policytext.aggregate.concordance import kwic
from policytext.aggregate.keyness import keywords
from policytext.aggregate.trends import periods, trend

__all__ = ["keywords", "kwic", "periods", "trend"]
