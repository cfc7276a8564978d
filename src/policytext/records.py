"""The nouns that flow from room to room: documents, passages, tags.

All spans are half-open and count Unicode code points of the simplified `text`, so that they agree with Python's
string indices. Only `Alignment` knows the ruler of the original.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

CODED_KINDS = ("body", "list", "speech")  # kinds of passage that are tagged and counted
Script = Literal["hans", "hant", "mixed", "none"]
Decision = Literal["yes", "no", "abstain"]


@dataclass(frozen=True)
class Alignment:
    """How simplified text lies on the original it was made from.

    `edits` lists, in order, only the places where lengths differ: (position in text, length in text, length in
    original). Everywhere else one code point stands for one code point; no edits means identity.

    >>> alignment = Alignment(((2, 3, 2),))  # three code points of the text stand for two of the original
    >>> alignment.to_original(0, 2), alignment.to_original(2, 5), alignment.to_original(5, 6)
    ((0, 2), (2, 4), (4, 5))
    """

    edits: tuple[tuple[int, int, int], ...] = ()

    @cached_property
    def _rulers(self) -> tuple[list[int], list[int], list[int], list[int]]:
        """Starts and ends of every edit, on the text's ruler and on the original's."""
        starts, ends, original_starts, original_ends = [], [], [], []
        shift = 0
        for position, length, original_length in self.edits:
            starts.append(position)
            ends.append(position + length)
            original_starts.append(position + shift)
            original_ends.append(position + shift + original_length)
            shift += original_length - length
        return starts, ends, original_starts, original_ends

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the original that made `text[start:end]`.

        A span that cuts into an edit takes in the whole edit. Original characters that left no trace belong to a
        span only when it reaches over them on both sides.
        """
        starts, ends, original_starts, original_ends = self._rulers
        return _map(start, end, starts, ends, original_starts, original_ends)

    def to_text(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the text that came from `original[start:end]`."""
        starts, ends, original_starts, original_ends = self._rulers
        return _map(start, end, original_starts, original_ends, starts, ends)


def _map(
    start: int,
    end: int,
    from_starts: list[int],
    from_ends: list[int],
    to_starts: list[int],
    to_ends: list[int],
) -> tuple[int, int]:
    if not from_starts:
        return start, end
    i = bisect_right(from_ends, start)  # edits that end at or before `start` lie wholly behind it
    if i < len(from_starts) and from_starts[i] < start:
        mapped_start = to_starts[i]
    else:
        mapped_start = start + (to_ends[i - 1] - from_ends[i - 1] if i else 0)
    j = bisect_left(from_starts, end)  # edits that start at or after `end` lie wholly beyond it
    if j and from_ends[j - 1] > end:
        mapped_end = to_ends[j - 1]
    else:
        mapped_end = end + (to_ends[j - 1] - from_ends[j - 1] if j else 0)
    return mapped_start, max(mapped_start, mapped_end)


@dataclass(frozen=True)
class Document:
    """One document as read; `convert` replaces `text` and `alignment`, nothing else ever changes.

    What is unknown is None. `id` hashes the content: the original text and the metadata that the source itself
    declares (columns of a table, fields of a JSON line, a manifest), never what policytext infers.
    """

    id: str
    path: str  # of the file, relative to the source folder, with forward slashes
    member: int  # 0-based position in a file that holds many documents; 0 otherwise
    sha256: str  # of the file's bytes, or of the member's
    original: str
    text: str  # simplified; equals `original` until `convert` has run
    source_id: str | None = None  # the id the source gives it (`id` column or field)
    title: str | None = None
    author: str | None = None
    outlet: str | None = None  # 来源: who published it
    number: str | None = None  # 文号, normalised: 国发〔2016〕55号
    issuer: str | None = None  # 发文机关: who issued it
    level: str | None = None  # of the issuer: national, ministry, province, city, county, ...
    region: str | None = None  # CN, TW, HK, MO or a province's name
    genre: str | None = None
    date: str | None = None  # ISO: YYYY-MM-DD, YYYY-MM or YYYY
    date_source: str | None = None  # where the date comes from: declared, metadata, signature, byline, url, ...
    date_certainty: float | None = None  # 0 to 1
    encoding: str | None = None
    encoding_certainty: float | None = None  # 0 to 1
    script: Script = "none"
    variant: str | None = None  # the chain that simplified it: none, t2s, tw2sp ...; None until `convert` has run
    alignment: Alignment = field(default_factory=Alignment)
    signed: str | None = None  # 成文日期, promulgation, adoption or delivery; ISO like `date`
    printed: str | None = None  # 印发日期
    published: str | None = None  # 发布日期, of a page or an outlet
    forwards: str | None = None  # 转发: title or number of the document that this one passes on
    url: str | None = None
    format: str | None = None  # txt, html, docx, pdf, csv, jsonl ...
    blocks: tuple[tuple[str, int, int], ...] = ()  # (kind, start, end) in `original`: what is not the body, see ingest
    notes: tuple[str, ...] = ()  # what a reader of the results should know, e.g. "dates disagree: ..."


def content_id(original: str, *declared: str | None) -> str:
    """Return the id of a document: 16 hex digits of the SHA-256 over its text and declared metadata.

    >>> content_id("数字政府", None, "2021-03-05")
    'f07a530e28b6a1a8'
    """
    parts = [original, *(value or "" for value in declared)]
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Passage:
    """A paragraph, heading, list item ... of a document: `doc.text[start:end] == text`."""

    doc_id: str
    n: int  # 0-based, in reading order
    start: int
    end: int
    kind: str  # body, list, speech (CODED_KINDS); heading, table, short, boilerplate
    heading: str  # path of the headings above it, joined by " > "; empty if none
    text: str
    words: tuple[str, ...] = ()  # tile the passage: "".join(words) == text


@dataclass(frozen=True)
class Tag:
    """One judgement on one passage. For a lexicon tag the span is its evidence, else the passage or its best clause."""

    doc_id: str
    n: int  # the passage
    label: str
    method: str  # lexicon, pattern, classifier, hand
    probability: float | None
    decision: Decision
    start: int
    end: int
    note: str = ""


@dataclass(frozen=True)
class Skipped:
    """An input that was not stored, and why: a sentence that a person can act on."""

    path: str
    room: str
    reason: str
    member: int = 0  # 0-based position in the file, as in `Document`


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` of `total` bytes of input in one `stage`."""

    stage: str
    done: int
    total: int


Listener = Callable[[Progress], None]
