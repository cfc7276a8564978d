"""How good tags are, how well readers agree, and which passages to read."""

from policytext.evaluate.agreement import agree, alpha
from policytext.evaluate.sampling import draw, poisson, rates, strata
from policytext.evaluate.scores import ScoreOptions, Scores, Units, score

__all__ = ["ScoreOptions", "Scores", "Units", "agree", "alpha", "draw", "poisson", "rates", "score", "strata"]
