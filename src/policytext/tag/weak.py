"""Weak supervision from terms: what they cover, where they overlap, where something speaks against them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from policytext.arrays import distinct
from policytext.codebook import Codebook
from policytext.errors import UsageError
from policytext.tag.lexicon import Hits, Lexicon
from policytext.tag.patterns import Patterns

if TYPE_CHECKING:
    from pandas import DataFrame

Bools = NDArray[np.bool_]


def coverage(
    codebook: Codebook,
    texts: Sequence[str],
    words: Sequence[Sequence[str]] | None = None,
    *,
    by: Literal["label", "term"] = "label",
    truth: Sequence[Collection[str]] | None = None,
) -> DataFrame:
    """Return what a codebook's terms alone would decide on passages of simplified text.

    One row a label, or a term: `hits`; `passages` with a hit; `coverage`, their share of all; of these passages the
    shares `overlap`, where another label of the dimension (another term of the label) is found too, and `conflict`,
    where a group that speaks against the label is found too. With the labels of each passage in `truth` also
    `precision` and `recall` of "found means yes". A share of nothing is NaN. After Snorkel's table of labelling
    functions (Ratner et al. 2017, https://arxiv.org/abs/1711.10160), where a term votes yes or abstains. Patterns over
    words are tried only where `words`, which tile the texts, are given.

    Raises:
        UsageError: `truth` has not one entry a text.
    """
    from pandas import DataFrame

    if truth is not None and len(truth) != len(texts):
        raise UsageError(f"{len(texts)} texts but {len(truth)} sets of labels; give one set a text")
    hits = Lexicon(codebook).find_many(texts, words)
    found = np.zeros((len(texts), len(hits.labels)), dtype=np.bool_)
    found[hits.text, hits.label] = True
    against = _against(codebook, texts)
    owners = _by_label(codebook, hits, found) if by == "label" else _by_term(codebook, hits)
    rows = []
    for head, passages, count, overlap in owners:
        row = {**head, "hits": count, "passages": len(passages), "coverage": _share(len(passages), len(texts))}
        row["overlap"] = _share(int(overlap.sum()), len(passages))
        conflict = against[hits.labels.index(head["label"])][passages]
        row["conflict"] = _share(int(conflict.sum()), len(passages))
        rows.append(row if truth is None else row | _scores(head["label"], passages, truth))
    return DataFrame(rows)


_Owner = tuple[dict[str, str], NDArray[np.integer], int, Bools]  # names, passages, hits, which passages overlap


def _by_label(codebook: Codebook, hits: Hits, found: Bools) -> list[_Owner]:
    rows: list[_Owner] = []
    for number, label in enumerate(codebook.labels):
        passages = np.flatnonzero(found[:, number])
        rivals = [other.dimension == label.dimension and other.id != label.id for other in codebook.labels]
        overlap: Bools = np.logical_or.reduce(found[passages][:, np.array(rivals)], axis=1)
        rows.append(({"label": label.id}, passages, int((hits.label == number).sum()), overlap))
    return rows


def _by_term(codebook: Codebook, hits: Hits) -> list[_Owner]:
    """Return the same for each term; those never found are there too, because they want a look."""
    width = len(hits.terms)
    pairs = distinct(hits.text.astype(np.int64) * width + hits.term)
    text, term = pairs // width, pairs % width
    written = [(i, string) for i, label in enumerate(codebook.labels) for string in label.terms]  # as in hits.terms
    label_of = np.array([i for i, _ in written], dtype=np.int64)
    label = label_of[term]
    place, different = np.unique(text * len(hits.labels) + label, return_counts=True)
    several = different[np.searchsorted(place, text * len(hits.labels) + label)] > 1
    rows: list[_Owner] = []
    for number, (owner, string) in enumerate(written):  # token patterns come behind them; without words none is found
        mine = term == number
        head = {"label": hits.labels[owner], "term": string}
        rows.append((head, text[mine], int((hits.term == number).sum()), several[mine]))
    return rows


def _against(codebook: Codebook, texts: Sequence[str]) -> Bools:
    """Return for each label in which passages a group that speaks against it occurs, shape (labels, texts)."""
    counts = Patterns(codebook).matrix(texts)[:, : len(codebook.groups)] > 0
    groups = [[i for i, group in enumerate(codebook.groups) if group.against == label.id] for label in codebook.labels]
    return np.array([counts[:, columns].any(axis=1) for columns in groups], dtype=np.bool_)


def _scores(label: str, passages: NDArray[np.integer], truth: Sequence[Collection[str]]) -> dict[str, Any]:
    right = np.array([label in labels for labels in truth], dtype=np.bool_)
    hit = int(right[passages].sum())
    return {"precision": _share(hit, len(passages)), "recall": _share(hit, int(right.sum()))}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
