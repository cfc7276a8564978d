"""Passages: a document's lines, each with what it is and where it stands; over-long ones cut at sentences.

A line is a paragraph. Nothing is deleted: every character that is not white space lies in exactly one passage.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from policytext.config import SegmentConfig
from policytext.records import Document, Passage
from policytext.segment import lines as lines_module
from policytext.segment import words as words_module
from policytext.segment.lines import LEVELS, Line

_CLOSERS = "”’」』）)》】〕"
_SENTENCE = re.compile(rf"[^。！？；…!?;]*[。！？；…!?;]+[{_CLOSERS}]*|[^。！？；…!?;]+$")
_CLAUSE = re.compile(r"[^，、：,]*[，、：,]+|[^，、：,]+$")


@dataclass
class Segmenter:
    """Splits documents into passages and cuts them into words; fitted once with the domain words.

    >>> Segmenter(SegmentConfig(), ["数字赋权"]).cut("从数字赋能到数字赋权。")
    ('从', '数字', '赋能', '到', '数字赋权', '。')
    """

    config: SegmentConfig
    words: Iterable[str] = ()
    _cut: Callable[[str], tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._cut = words_module.cutter(self.config, self.words)

    def cut(self, text: str) -> tuple[str, ...]:
        """Return the words of a text, spaces and punctuation included: they tile it."""
        return self._cut(text)

    def split(self, doc: Document) -> list[Passage]:
        """Return the passages of a document in reading order, with their words."""
        lines = lines_module.read(doc.text)
        blocks = [doc.alignment.to_text(start, end) for _, start, end in doc.blocks]
        lines_module.classify(lines, _title(doc), blocks, self.config.min_passage_chars)
        passages: list[Passage] = []
        for start, end, kind, heading in _pieces(doc.text, lines, self.config.max_passage_chars):
            text = doc.text[start:end]
            passages.append(Passage(doc.id, len(passages), start, end, kind, heading, text, self._cut(text)))
        return passages


def _title(doc: Document) -> str:
    """Return the title as the text has it: where it stands in the original, the simplified span, else itself."""
    title = doc.title or ""
    place = doc.original.find(title) if title else -1
    return doc.text[slice(*doc.alignment.to_text(place, place + len(title)))] if place >= 0 else title


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, with their closing quotes and brackets; together they are the text.

    >>> sentences("他说：“好。”然后走了！")
    ['他说：“好。”', '然后走了！']
    """
    return [found[0] for found in _SENTENCE.finditer(text)]


def _pieces(text: str, lines: Sequence[Line], longest: int) -> Iterator[tuple[int, int, str, str]]:
    """Yield start, end, kind and heading path of every passage."""
    above: list[tuple[float, str]] = []
    path, plain = "", 0.0
    for start, end, line in _joined_tables(lines):
        if line.kind != "heading":
            if end - start <= longest or line.kind == "table":
                yield start, end, line.kind, path
                continue
            for first, last in _parts(text, start, end, longest):
                yield first, last, line.kind, path
            continue
        level = _level(line)
        if not line.mark:  # headings without a mark stand below what was above the first of them
            plain = plain or max((LEVELS["plain"], *(entry[0] + 0.5 for entry in above)))
            level = plain
        above = [entry for entry in above if entry[0] < level]
        yield start, end, "heading", " > ".join(title for _, title in above)
        if line.mark != "title":  # the title of the document heads no passage
            above.append((level, line.text))
        path = " > ".join(title for _, title in above)


def _level(line: Line) -> float:
    """Return the level of a numbered heading; 2.1 and 2-1 stand below 2."""
    depth = len(re.findall("[.-][0-9]", line.text[: line.rest])) if line.mark == "arabic" else 0
    return LEVELS.get(line.mark, LEVELS["plain"]) + 0.1 * depth


def _joined_tables(lines: Sequence[Line]) -> Iterator[tuple[int, int, Line]]:
    i = 0
    while i < len(lines):
        j = i + 1
        if lines[i].kind == "table":
            while j < len(lines) and lines[j].kind == "table":
                j += 1
        yield lines[i].start, lines[j - 1].end, lines[i]
        i = j


def _parts(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield spans of whole sentences, each at most `limit` long where the sentences allow it."""
    first = last = start
    for sentence_start, sentence_end in _short_sentences(text, start, end, limit):
        if last > first and sentence_end - first > limit:
            yield _trim(text, first, last)
            first = sentence_start
        last = sentence_end
    yield _trim(text, first, last)


def _short_sentences(text: str, start: int, end: int, limit: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences, or of clauses where a sentence is too long, or of equal cuts."""
    for found in _SENTENCE.finditer(text, start, end):
        if found.end() - found.start() <= limit:
            yield found.span()
            continue
        for clause in _CLAUSE.finditer(text, found.start(), found.end()):
            for cut in range(clause.start(), clause.end(), limit):
                yield cut, min(cut + limit, clause.end())


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
