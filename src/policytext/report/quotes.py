"""Passages as the page quotes them: in the script they were written in, with what a tag rests on marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

MAX_QUOTE = 600  # code points of a quoted passage; longer ones are cut around their evidence
METHODS = {"classifier": "分类器 classifier", "lexicon": "词语 terms", "pattern": "句式 pattern", "hand": "人工 hand"}
# A line break of a typesetter between two Han characters or full-width marks: shown, it would be a space.
_BREAK = re.compile(
    r"(?<=[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef])\s*\n\s*(?=[\u3000-\u9fff\uf900-\ufaff\uff00-\uffef])"
)
_WORD = re.compile(r"\w")
LANGUAGES = {"hans": "zh-Hans", "hant": "zh-Hant", "mixed": "zh", "none": "und"}


@dataclass(frozen=True)
class Evidence:
    """Why a tag was set: a span of the quoted text."""

    start: int
    end: int
    term: str
    method: str  # lexicon, pattern, classifier, hand


@dataclass(frozen=True)
class Quote:
    """A passage in the script it was written in; evidence spans count code points of `text`."""

    label: str
    text: str
    title: str | None
    source: str | None  # outlet or issuer
    date: str | None
    path: str
    script: str = "none"
    probability: float | None = None
    method: str = ""
    heading: str = ""
    place: str = ""  # inside a file that holds many documents
    evidence: tuple[Evidence, ...] = ()


def view(quote: Quote) -> dict[str, Any]:
    """Return a quote cut to size, as pieces of (text, terms that mark it or None)."""
    text, spans = cut(quote.text, quote.evidence)
    firm = [e.term for e in quote.evidence if e.method != "classifier"]
    terms = [term for term in dict.fromkeys([*firm, *(e.term for e in quote.evidence)]) if _WORD.search(term)]
    return {
        "quote": quote,
        "pieces": [(_BREAK.sub("", piece), why, firm) for piece, why, firm in pieces(text, spans)],
        "method": "、".join(METHODS.get(method, method) for method in quote.method.split(" + ")),
        "terms": [term[:40] for term in terms[:12]],
        "lang": LANGUAGES.get(quote.script, "zh"),
        "probability": _probability(quote.probability),
    }


def _probability(value: float | None) -> str:
    """Return a probability as text; no model is certain, so 0.998 is not shown as 1.00."""
    if value is None:
        return ""
    return "> 0.99" if value > 0.99 else f"= {value:.2f}"


def cut(text: str, evidence: Sequence[Evidence], *, most: int = MAX_QUOTE) -> tuple[str, list[Evidence]]:
    """Return a passage of at most `most` code points around its first evidence, and the evidence that is left in it."""
    if len(text) <= most:
        return text, list(evidence)
    first = min((e.start for e in evidence), default=0)
    start = max(0, min(first - most // 4, len(text) - most))
    lead = "…" if start else ""
    shift = len(lead) - start
    kept = [
        Evidence(max(e.start, start) + shift, min(e.end, start + most) + shift, e.term, e.method)
        for e in evidence
        if e.start < start + most and e.end > start
    ]
    return lead + text[start : start + most] + ("…" if start + most < len(text) else ""), kept


def pieces(text: str, evidence: Iterable[Evidence]) -> list[tuple[str, str | None, bool]]:
    """Return the text in order as (piece, what marks it, whether a term or pattern does and not a weight alone).

    Overlapping evidence is one piece.

    >>> pieces("推进政务公开", [Evidence(2, 6, "政务公开", "lexicon")])
    [('推进', None, False), ('政务公开', 'lexicon: 政务公开', True)]
    """
    out: list[tuple[str, str | None, bool]] = []
    at = 0
    for start, end, whys in _merged(evidence, len(text)):
        if start > at:
            out.append((text[at:start], None, False))
        firm = any(not why.startswith("classifier") for why in whys)
        out.append((text[start:end], " · ".join(whys), firm))
        at = end
    if at < len(text):
        out.append((text[at:], None, False))
    return out


def _merged(evidence: Iterable[Evidence], length: int) -> list[tuple[int, int, list[str]]]:
    spans: list[tuple[int, int, list[str]]] = []
    for e in sorted(evidence, key=lambda e: (e.start, e.end, e.term)):
        start, end = max(0, e.start), min(e.end, length)
        if start >= end:
            continue
        why = f"{e.method}: {e.term}" if e.term else e.method
        if spans and start < spans[-1][1]:
            before = spans.pop()
            spans.append((before[0], max(before[1], end), list(dict.fromkeys([*before[2], why[:60]]))[:6]))
        else:
            spans.append((start, end, [why[:60]]))
    return spans
