"""Find a codebook's terms: one pass for all labels, longest match within a label, labels independent.

>>> from policytext.codebook import Codebook, Dimension, Label
>>> label = Label("theme.empowerment", "赋权", "empowerment", "", "", terms=("赋权",), excluded=("天赋权利",))
>>> codebook = Codebook("c", "1", "c", "c", (Dimension("theme", "主题", "theme"),), (label,))
>>> [(hit.term, hit.start, hit.end) for hit in Lexicon(codebook).find("天赋权利不是数字赋权")]
[('赋权', 8, 10)]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from policytext.codebook import Codebook
from policytext.tag.scan import Batch, Ints, outermost
from policytext.tag.terms import Owner, TermFinder
from policytext.tag.tokens import TokenPatterns


@dataclass(frozen=True)
class Hit:
    """One occurrence of a term of a label: `text[start:end]` is what was found."""

    label: str
    term: str  # as the codebook writes it, long lists of alternatives cut short
    start: int
    end: int


@dataclass(frozen=True)
class Hits:
    """Occurrences in many texts as columns: index of the text, of the label and of the term, and the span in the text.

    `labels` and `terms` name the indices. Rows are ordered by text, start, end, label.
    """

    labels: tuple[str, ...]
    terms: tuple[str, ...]
    text: Ints
    label: Ints
    term: Ints
    start: Ints
    end: Ints

    def __len__(self) -> int:
        """Return the number of occurrences."""
        return len(self.text)


class Lexicon:
    """The terms and excluded contexts of a codebook's labels, ready to be found."""

    def __init__(self, codebook: Codebook) -> None:
        self.labels = codebook.ids()
        groups = {group.id: Owner(group.terms, group.excluded) for group in codebook.groups}
        self._finder = TermFinder(
            [Owner(label.terms, label.excluded) for label in codebook.labels], groups, codebook.variants
        )
        self._tokens = TokenPatterns(codebook)
        self.terms = (*self._finder.names, *self._tokens.names)
        self.patterned = frozenset(label.id for label in codebook.labels if label.patterns)

    def find(self, text: str, words: Sequence[str] | None = None) -> list[Hit]:
        """Return the occurrences of every label's terms in one text, in order; with its words, token patterns too."""
        hits = self.find_many((text,), None if words is None else (words,))
        columns = (hits.label.tolist(), hits.term.tolist(), hits.start.tolist(), hits.end.tolist())
        return [Hit(self.labels[label], self.terms[term], s, e) for label, term, s, e in zip(*columns, strict=True)]

    def find_many(
        self, texts: Sequence[str], words: Sequence[Sequence[str]] | None = None, tried: Ints | None = None
    ) -> Hits:
        """Return the occurrences in many texts as columns: the same as `find` on each, many times faster.

        `words` tile their texts; without them token patterns are not tried, with `tried` only in the texts of these
        positions.
        """
        parts = [self._found(batch) for batch in self._finder.batches(texts)]
        columns = list(zip(*parts, strict=True)) if parts else [(np.zeros(0, dtype=np.int32),)] * 5
        text, label, term, start, end = (np.concatenate(column) for column in columns)
        if words is not None and len(self._tokens.names):
            rows = np.arange(len(texts), dtype=np.int32) if tried is None else tried
            more = self._tokens.find([texts[i] for i in rows.tolist()], [words[i] for i in rows.tolist()])
            found = (rows[more[0]], more[1], *more[3:])
            text, label, start, end = (
                np.concatenate(pair).astype(np.int32) for pair in zip((text, label, start, end), found, strict=True)
            )
            term = np.concatenate([term, more[2] + len(self._finder.terms)])
            kept = outermost(text * len(self.labels) + label, start, end)
            kept = kept[np.lexsort((label[kept], end[kept], start[kept], text[kept]))]
            text, label, term, start, end = (column[kept] for column in (text, label, term, start, end))
        return Hits(self.labels, self.terms, text, label, term, start, end)

    def _found(self, batch: Batch) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Columns text, label, term, start, end of one batch."""
        found = self._finder.find(batch)
        order = np.lexsort((found.owner, found.end, found.start))
        start, end = found.start[order], found.end[order]
        text = batch.text_of(start)
        shift = batch.bounds[text]
        return batch.first + text, found.owner[order], found.term[order], start - shift, end - shift
