"""Anatomy of official documents 公文 in plain text: number, title, issuer, dates, and the blocks that are not body."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policytext.ingest import dates

_HEAD = 3_000
_TAIL = 3_000
_BRACKETED = re.compile(
    r"(?P<agency>[\u4e00-\u9fff]{1,14})\s*[〔\[［（(【﹝]\s*(?P<year>(?:19|20)\d{2})\s*[〕\]］）)】﹞]\s*第?\s*(?P<n>\d{1,5})\s*号"
)


@dataclass(frozen=True)
class Anatomy:
    """What an official document says about itself; None where it says nothing."""

    number: str | None = None
    title: str | None = None
    issuer: str | None = None
    signed: str | None = None
    signed_source: str = "signature"
    signed_certainty: float = 0.9
    printed: str | None = None
    forwards: str | None = None
    blocks: tuple[tuple[str, int, int], ...] = ()


def dissect(text: str, *, title: str | None = None) -> Anatomy:
    """Take the anatomy of a document apart; only its head and tail are looked at."""
    number = _number(text[:_HEAD])
    signed = None
    for line in reversed(text[-_TAIL:].splitlines()):
        stripped = line.strip()
        date = next(dates.find(stripped), None)
        if date and date.full and date.start == 0 and len(stripped) - date.end < 3:
            signed = date.iso
            break
    return Anatomy(number=number, title=title, signed=signed)


def _number(head: str) -> str | None:
    for line in dates.fold(head).splitlines()[:12]:
        match = _BRACKETED.fullmatch(line.strip())
        if match:
            return f"{match['agency']}〔{match['year']}〕{int(match['n'])}号"
    return None
