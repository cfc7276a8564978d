"""The pattern layer: what a codebook's groups, relations and flags find in a passage, as numbers and as evidence.

Groups pool: one rare term says little, forty of a kind say much. Relations ask for things together in a clause or a
sentence. Both stand in the codebook file, where a researcher reads and changes them.

>>> from policytext.codebook import Codebook, Group, Relation
>>> groups = (Group("tools", ("平台", "系统")), Group("gain", ("提高 ..8 效率",)))
>>> relations = (Relation("tools_gain", ("@tools", "@gain")),)
>>> patterns = Patterns(Codebook("c", "1", "c", "c", (), (), groups=groups, relations=relations))
>>> row = patterns.matrix(["平台提高了办事效率。系统另建。"])[0]
>>> [float(row[patterns.names.index(name)]) for name in ("group.tools", "group.gain", "relation.tools_gain")]
[2.0, 1.0, 1.0]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from policytext.arrays import distinct
from policytext.codebook import Codebook, Relation
from policytext.tag.lexicon import Hits
from policytext.tag.scan import Batch, Ints, outermost, sorting
from policytext.tag.terms import Found, Owner, TermFinder, clauses, sentences

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

_SIZES = ("size.characters", "size.clauses", "size.sentences")


@dataclass(frozen=True)
class PatternHit:
    """A term of a group that was found: `text[start:end]`. `label` is the label that the group speaks for, if any."""

    group: str
    term: str  # as the codebook writes it, long lists of alternatives cut short
    start: int
    end: int
    label: str | None = None
    against: str | None = None


class Patterns:
    """A codebook's pattern layer, ready to be counted.

    `names` are the columns of `matrix`: for each group the number of occurrences (`group.ID`), of different terms
    (`group.ID.terms`) and of occurrences in its fullest clause (`group.ID.clause`); for each relation the number of
    clauses, sentences or passages in which it holds (`relation.ID`); for each flag 0 or 1 (`flag.ID`); the passage's
    characters, clauses and sentences (`size.*`).
    """

    def __init__(self, codebook: Codebook) -> None:
        self.groups = codebook.groups
        self.relations = codebook.relations
        self._labels = codebook.ids()
        self._flags = [re.compile(flag.starts) for flag in codebook.flags]
        owners = {group.id: Owner(group.terms, group.excluded) for group in codebook.groups}
        self._place = {f"@{name}": number for number, name in enumerate(owners)}  # part of a relation -> owner
        parts = [part for relation in codebook.relations for part in (*relation.all, *relation.none)]
        loose = [part for part in dict.fromkeys(parts) if part not in self._place]
        self._place |= {part: len(owners) + number for number, part in enumerate(loose)}
        mixed = [Owner(tuple(_members(part, owners)), tuple(_contexts(part, owners))) for part in loose]
        self._finder = TermFinder([*owners.values(), *mixed], owners, codebook.variants)
        self._words = (len(self._place) + 63) // 64
        self.names = (
            *(f"group.{group.id}{kind}" for kind in ("", ".terms", ".clause") for group in self.groups),
            *(f"relation.{relation.id}" for relation in self.relations),
            *(f"flag.{flag.id}" for flag in codebook.flags),
            *_SIZES,
        )

    def matrix(self, texts: Sequence[str]) -> Floats:
        """Return the features of passages, one row a text, columns as `names`, counts not scaled."""
        rows = np.zeros((len(texts), len(self.names)), dtype=np.float32)
        for batch in self._finder.batches(texts):
            size = len(batch.bounds) - 1
            block = rows[batch.first : batch.first + size]
            self._count(batch, block)
        column = len(self.names) - len(_SIZES) - len(self._flags)
        for number, flag in enumerate(self._flags):
            rows[:, column + number] = np.fromiter(map(bool, map(flag.match, texts)), dtype=np.bool_, count=len(texts))
        return rows

    @cached_property
    def term_names(self) -> tuple[str, ...]:
        """The columns of `bag`: `ID: term` for each term of each group, as the codebook writes it."""
        return tuple(f"{group.id}: {term}" for group in self.groups for term in group.terms)

    def bag(self, texts: Sequence[str]) -> csr_matrix:
        """Return which terms of the groups occur in passages, 0 or 1, float32 [len(texts) x len(term_names)].

        Beside `matrix` it lets a classifier weigh a term apart from its group: with words and characters as well,
        macro F1 rose from 0.695 to 0.711 on the 1,956 labelled passages of documents held out.
        """
        rows, columns = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
        for batch in self._finder.batches(texts):
            found = self._finder.find(batch)
            kept = np.flatnonzero(found.owner < len(self.groups))
            text = (batch.first + batch.text_of(found.start[kept])).astype(np.int64)
            pairs = distinct(text * len(self._finder.terms) + found.term[kept])
            rows.append(pairs // len(self._finder.terms))
            columns.append(pairs % len(self._finder.terms))
        place = (np.concatenate(rows), np.concatenate(columns))  # the groups' terms come first among all
        ones = np.ones(len(place[0]), dtype=np.float32)
        return csr_matrix((ones, place), shape=(len(texts), len(self.term_names)))

    def hits(self, text: str) -> list[PatternHit]:
        """Return the occurrences of the groups' terms in one text, in order: the evidence behind a row of `matrix`."""
        hits = []
        for batch in self._finder.batches((text,)):
            found = self._finder.find(batch)
            columns = (found.owner.tolist(), found.term.tolist(), found.start.tolist(), found.end.tolist())
            for owner, term, start, end in zip(*columns, strict=True):
                if owner < len(self.groups):
                    group = self.groups[owner]
                    hits.append(PatternHit(group.id, self._finder.names[term], start, end, group.label, group.against))
        return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.group))

    def evidence(self, texts: Sequence[str]) -> Hits:
        """Return, of many texts, the occurrences of groups that speak for a label, as columns; `terms` are short names.

        A place that two groups of a label share is there once.
        """
        place = {label: number for number, label in enumerate(self._labels)}
        label_of = np.array([place.get(group.label or "", -1) for group in self.groups], dtype=np.int32)
        parts = []
        for batch in self._finder.batches(texts):
            found = self._finder.find(batch)
            kept = np.flatnonzero(found.owner < len(self.groups))
            kept = kept[label_of[found.owner[kept]] >= 0]
            label, term = label_of[found.owner[kept]], found.term[kept]
            text = batch.text_of(found.start[kept])
            start, end = found.start[kept] - batch.bounds[text], found.end[kept] - batch.bounds[text]
            first = outermost(text * len(self._labels) + label, start, end)
            order = first[np.lexsort((label[first], end[first], start[first], text[first]))]
            parts.append([column[order] for column in (batch.first + text, label, term, start, end)])
        columns = zip(*parts, strict=True) if parts else [(np.zeros(0, dtype=np.int32),)] * 5
        return Hits(self._labels, self._finder.names, *(np.concatenate(column) for column in columns))

    def _count(self, batch: Batch, block: Floats) -> None:
        """Fill the rows of one batch, flags left out."""
        found, width, rows = self._finder.find(batch), len(self.groups), len(batch.bounds) - 1
        clause, sentence = clauses(batch.points), sentences(batch.points)
        of_groups = Found(*(column[found.owner < width] for column in found.columns()))
        passage = batch.text_of(of_groups.start)
        block[:, :width] = _tally(passage, of_groups.owner, rows, width)
        terms = len(self._finder.terms)
        pairs = distinct(passage.astype(np.int64) * terms + of_groups.term)
        block[:, width : 2 * width] = _tally(pairs // terms, self._finder.owner_of[pairs % terms], rows, width)
        block[:, 2 * width : 3 * width] = _fullest(of_groups.owner, clause[of_groups.start], passage, rows, width)
        self._relate(found, clause, sentence, batch, block[:, 3 * width :])
        begin, end = batch.bounds[:-1], batch.bounds[1:] - 1  # of each text, its closing newline left out
        block[:, -3] = end - begin
        block[:, -2] = (clause[np.maximum(end - 1, begin)] - clause[begin] + 1) * (end > begin)
        block[:, -1] = (sentence[np.maximum(end - 1, begin)] - sentence[begin] + 1) * (end > begin)

    def _relate(self, found: Found, clause: Ints, sentence: Ints, batch: Batch, block: Floats) -> None:
        """Count for every passage the units in which each relation holds.

        Only units in which something occurs are looked at; what occurs in one is a row of bits, one an owner. What a
        sentence has is what its clauses have, what a passage has is what its sentences have.
        """
        if not len(found.start):
            return
        order = sorting(found.start.astype(np.int64))
        owner, start = found.owner[order], found.start[order]
        present = np.zeros((self._words, len(order)), dtype=np.uint64)
        present[owner >> 6, np.arange(len(order))] = np.uint64(1) << (owner & 63).astype(np.uint64)
        passage = batch.text_of(start)
        at = np.arange(len(order))  # the first occurrence of each unit
        for within, unit in (("clause", clause[start]), ("sentence", sentence[start]), ("passage", passage)):
            opened = np.flatnonzero(np.diff(unit[at], prepend=-1))
            at = at[opened]
            present = np.bitwise_or.reduceat(present, opened, axis=1)
            for number, relation in enumerate(self.relations):
                if relation.within == within:
                    holds = passage[at[self._holds(relation, present)]]
                    block[:, number] = np.bincount(holds, minlength=len(block))

    def _holds(self, relation: Relation, present: NDArray[np.uint64]) -> Bools:
        """Return in which units a relation holds; `present` has one row a 64 owners, one column a unit."""
        holds = np.ones(present.shape[1], dtype=np.bool_)
        for parts, wanted in ((relation.all, True), (relation.none, False)):
            for part in parts:
                word, bit = divmod(self._place[part], 64)
                holds &= ((present[word] & np.uint64(1 << bit)) != 0) == wanted
        return holds


def _tally(row: NDArray[np.integer], column: Ints, rows: int, width: int) -> NDArray[np.int64]:
    """Return how often each (row, column) occurs."""
    key = row.astype(np.int64) * width + column
    return np.bincount(key, minlength=rows * width).reshape(rows, width)


def _fullest(owner: Ints, clause: Ints, passage: Ints, rows: int, width: int) -> NDArray[np.int64]:
    """Return the largest number of occurrences that an owner has in one clause of a passage, (rows, width).

    The occurrences come ordered by owner, then place; so runs of equal (owner, clause) are counts.
    """
    table = np.zeros((rows, width), dtype=np.int64)
    if len(owner):
        opened = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(clause, prepend=-1) != 0))
        size = np.diff(opened, append=len(owner))
        owner, passage = owner[opened], passage[opened]
        group = np.flatnonzero((np.diff(owner, prepend=-1) != 0) | (np.diff(passage, prepend=-1) != 0))
        table[passage[group], owner[group]] = np.maximum.reduceat(size, group)
    return table


def _members(part: str, groups: dict[str, Owner]) -> list[str]:
    """Return the terms of a part such as "@technology|平台"."""
    names = [name.strip() for name in part.split("|")]
    nested = [groups[name[1:]].terms if name.startswith("@") else (name,) for name in names]
    return list(dict.fromkeys(term for terms in nested for term in terms))


def _contexts(part: str, groups: dict[str, Owner]) -> list[str]:
    names = [name.strip()[1:] for name in part.split("|") if name.strip().startswith("@")]
    return list(dict.fromkeys(context for name in names for context in groups[name].excluded))
