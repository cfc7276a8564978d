"""The codebook: dimensions, labels, what they mean, and the terms and patterns that point at them.

A codebook is one TOML file that a researcher reads and edits; `docs/codebook.md` explains the format. Terms are
written in simplified Chinese, because matching happens after conversion.
"""

from policytext.codebook.loader import check, load, template
from policytext.codebook.notation import GAP, Step, steps
from policytext.codebook.records import (
    Codebook,
    Dimension,
    Example,
    Flag,
    Group,
    Label,
    Relation,
    TokenPattern,
)

__all__ = [
    "GAP",
    "Codebook",
    "Dimension",
    "Example",
    "Flag",
    "Group",
    "Label",
    "Relation",
    "Step",
    "TokenPattern",
    "check",
    "load",
    "steps",
    "template",
]
