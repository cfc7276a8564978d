"""From strings to terms: alternatives, gaps within a clause, excluded contexts, longest match within an owner.

An owner is whatever holds a list of terms: a label, a group, one side of a relation. `docs/codebook.md` describes the
notation, `codebook.steps` reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, product

import numpy as np
from numpy.typing import NDArray

from policytext.codebook import Step, steps
from policytext.tag.scan import Batch, Ints, Scanner, outermost, unfold

_SENTENCE_MARKS = "。；！？…;!?\n"
_CLAUSE_MARKS = "，," + _SENTENCE_MARKS
_HIDDEN = -1  # term index of an excluded context


@dataclass(frozen=True)
class Owner:
    """A list of terms, and the contexts inside which they do not count."""

    terms: tuple[str, ...]
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """Occurrences in a batch as columns, ordered by owner, then start. `term` indexes `TermFinder.terms`."""

    owner: Ints
    term: Ints
    start: Ints
    end: Ints

    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Return the four columns in order."""
        return self.owner, self.term, self.start, self.end


@dataclass(frozen=True)
class _GapTerm:
    owner: int
    term: int
    steps: tuple[int, ...]  # sets of strings, by number
    gaps: tuple[int, ...]  # before each step


class TermFinder:
    """The terms of many owners, found in one pass.

    `groups` gives the plain terms that `@id` stands for; `variants` are sets of words that stand for one another
    inside longer terms (信息, 资讯: a codebook that lists 信息公开 finds 资讯公开 too).
    """

    def __init__(
        self,
        owners: Sequence[Owner],
        groups: Mapping[str, Owner] | None = None,
        variants: Sequence[Sequence[str]] = (),
    ) -> None:
        self.terms: list[str] = []
        owner_of: list[int] = []
        self._groups = groups or {}
        self._variants = {word: tuple(words) for words in variants for word in words}
        self._variant = re.compile("|".join(sorted(map(re.escape, self._variants), key=len, reverse=True)) or "(?!)")
        self._step_numbers: dict[tuple[str, ...], int] = {}
        self._gap_terms: list[_GapTerm] = []
        direct: list[tuple[str, int, int]] = []  # string, owner, term
        for number, owner in enumerate(owners):
            for term in owner.terms:
                direct += self._add(number, term)
            owner_of += [number] * len(owner.terms)
            direct += [(string, number, _HIDDEN) for context in owner.excluded for string in self._vary(context)]
        self.owner_of = np.array(owner_of, dtype=np.int32)  # of each term
        self._index(direct)

    def _add(self, owner: int, term: str) -> list[tuple[str, int, int]]:
        """Register a term; return the strings that are the whole term."""
        parts, number = steps(term), len(self.terms)
        self.terms.append(term)
        if len(parts) == 1:
            return [(string, owner, number) for string in self._strings(parts[0])]
        numbers = [self._step_numbers.setdefault(self._strings(part), len(self._step_numbers)) for part in parts]
        self._gap_terms.append(_GapTerm(owner, number, tuple(numbers), tuple(part.gap for part in parts)))
        return []

    def _strings(self, step: Step) -> tuple[str, ...]:
        nested = (part for name in step.groups for term in self._groups[name].terms for part in steps(term)[0].terms)
        return tuple(dict.fromkeys(string for term in (*step.terms, *nested) for string in self._vary(term)))

    def _vary(self, term: str) -> list[str]:
        """Return a term and its regional variants; a term that is nothing but such a word stays alone."""
        if term in self._variants:
            return [term]
        pieces: list[tuple[str, ...]] = []
        place = 0
        for match in self._variant.finditer(term):
            pieces += [(term[place : match.start()],), self._variants[match.group()]]
            place = match.end()
        return ["".join(parts) for parts in product(*pieces, (term[place:],))]

    def _index(self, direct: list[tuple[str, int, int]]) -> None:
        """Build the scanner and, for each of its strings, the owners and the steps it serves."""
        strings = dict.fromkeys(chain((string for string, _, _ in direct), *self._step_numbers))
        self._scanner = Scanner(tuple(strings))
        place = {string: number for number, string in enumerate(self._scanner.terms)}
        uses: list[list[int]] = [[] for _ in place]
        for use, (string, _, _) in enumerate(direct):
            uses[place[string]].append(use)
        serves: list[list[int]] = [[] for _ in place]
        for members, number in self._step_numbers.items():
            for string in members:
                serves[place[string]].append(number)
        self._owner = np.array([owner for _, owner, _ in direct], dtype=np.int32)
        self._term = np.array([term for _, _, term in direct], dtype=np.int32)
        self._uses = _lists(uses)
        self._serves = _lists(serves)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Short names of the terms, for people: of more than three alternatives the first, and 等 ("and so on")."""
        return tuple(" … ".join(_short(step) for step in steps(term)) for term in self.terms)

    def batches(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Return the texts in batches, strings found, terms not yet."""
        return self._scanner.scan(texts)

    def find(self, batch: Batch) -> Found:
        """Return the terms of all owners in a batch: longest match within an owner, none in an excluded context."""
        use, row = unfold(batch.term, *self._uses)
        parts = [(self._owner[use], self._term[use], batch.start[row], batch.end[row]), *self._gapped(batch)]
        owner, term, start, end = (np.concatenate(column) for column in zip(*parts, strict=True))
        kept = outermost(owner, start, end)
        kept = kept[term[kept] != _HIDDEN]  # a context has hidden the terms inside it; itself it is no occurrence
        return Found(owner[kept], term[kept], start[kept], end[kept])

    def _gapped(self, batch: Batch) -> list[tuple[Ints, Ints, Ints, Ints]]:
        """Occurrences of terms with gaps, one entry a term."""
        if not self._gap_terms:
            return []
        step, row = unfold(batch.term, *self._serves)
        order = np.argsort(step, kind="stable")
        bounds = np.searchsorted(step[order], np.arange(len(self._step_numbers) + 1))
        start, end = batch.start[row[order]], batch.end[row[order]]
        spans = [(start[a:b], end[a:b]) for a, b in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
        clause = clauses(batch.points)
        found = []
        for gap_term in self._gap_terms:
            first, last = _chain([spans[number] for number in gap_term.steps], gap_term.gaps, clause)
            if len(first):
                size = len(first)
                found.append((_full(size, gap_term.owner), _full(size, gap_term.term), first, last))
        return found


def clauses(points: NDArray[np.uint32]) -> Ints:
    """Return for each code point the number of its clause; a mark belongs to the clause that it opens."""
    return _count_marks(points, _CLAUSE_TABLE)


def sentences(points: NDArray[np.uint32]) -> Ints:
    """Return for each code point the number of its sentence."""
    return _count_marks(points, _SENTENCE_TABLE)


def _count_marks(points: NDArray[np.uint32], table: NDArray[np.bool_]) -> Ints:
    marks = table.take(points, mode="clip")  # code points beyond the table are none: its last entry is False
    return np.cumsum(marks, dtype=np.int32)


def _mark_table(marks: str) -> NDArray[np.bool_]:
    table = np.zeros(0xFFFF + 1, dtype=np.bool_)
    table[[ord(mark) for mark in marks]] = True
    return table


_CLAUSE_TABLE = _mark_table(_CLAUSE_MARKS)
_SENTENCE_TABLE = _mark_table(_SENTENCE_MARKS)


def _chain(spans: list[tuple[Ints, Ints]], gaps: tuple[int, ...], clause: Ints) -> tuple[Ints, Ints]:
    """Return starts and ends of the chains: each step after the one before, within its gap and in the same clause.

    For each occurrence of a step only the nearest chain that ends before it is looked at; no other can be closer, and
    what separates the nearest by a mark separates all.
    """
    first, last = spans[0]
    for (start, end), gap in zip(spans[1:], gaps[1:], strict=True):
        if not len(first) or not len(start):
            return first[:0], last[:0]
        order = np.argsort(last, kind="stable")
        nearest = np.searchsorted(last[order], start, side="right") - 1
        before = order[np.maximum(nearest, 0)]
        joined = (nearest >= 0) & (start - last[before] <= gap) & (clause[last[before] - 1] == clause[start])
        first, last = first[before[joined]], end[joined]
    return first, last


def _short(step: Step) -> str:
    words = (*step.terms, *(f"@{name}" for name in step.groups))
    return "|".join(words) if len(words) <= 3 else f"{words[0]}等"


def _full(size: int, value: int) -> Ints:
    return np.full(size, value, dtype=np.int32)


def _lists(lists: list[list[int]]) -> tuple[Ints, Ints]:
    """Return (offset, flat) of a list of lists, as `scan.unfold` wants them."""
    offset = np.cumsum([0, *map(len, lists)]).astype(np.int32)
    return offset, np.array([value for values in lists for value in values], dtype=np.int32)
