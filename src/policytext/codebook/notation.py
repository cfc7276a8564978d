"""The notation of terms: alternatives, gaps, references to groups."""

from __future__ import annotations

import re
from dataclasses import dataclass

GAP = 12  # characters that ".." in a term may leave between its parts, where the term gives no number of its own

_GAP = re.compile(r"\s*\.\.(\d*)\s+")


@dataclass(frozen=True)
class Step:
    """One part of a term: any of `terms`, or any term of `groups`, at most `gap` characters after the part before."""

    terms: tuple[str, ...]
    groups: tuple[str, ...]
    gap: int


def steps(term: str) -> tuple[Step, ...]:
    """Read the notation of terms: `|` between alternatives, `..` for a gap within a clause, `@id` for a group's terms.

    >>> [(step.terms, step.groups, step.gap) for step in steps("提高|提升 ..8 效率 .. @gain")]
    [(('提高', '提升'), (), 0), (('效率',), (), 8), ((), ('gain',), 12)]
    """
    pieces = _GAP.split(term)  # part, gap, part, gap, part ...
    gaps = [0, *(int(gap) if gap else GAP for gap in pieces[1::2])]
    found = []
    for piece, gap in zip(pieces[::2], gaps, strict=True):
        names = [name.strip() for name in piece.split("|")]
        plain = tuple(name for name in names if not name.startswith("@"))
        found.append(Step(plain, tuple(name[1:] for name in names if name.startswith("@")), gap))
    return tuple(found)
