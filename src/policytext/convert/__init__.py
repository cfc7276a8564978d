"""Convert Chinese text to simplified characters and mainland words, aligned with the original."""

from policytext.convert.ambiguity import Ambiguity, ambiguities
from policytext.convert.chains import Variant
from policytext.convert.scripts import detect
from policytext.convert.simplifier import Converted, convert, simplify

__all__ = ["Ambiguity", "Converted", "Variant", "ambiguities", "convert", "detect", "simplify"]
