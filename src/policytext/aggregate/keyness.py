"""Which words mark one part of a corpus against the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.special import fdtrc, xlogy

from policytext.errors import UsageError
from policytext.intervals import POOL_FREEDOM, codes, divide

Words: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[Sequence[str]]"  # one list of words a passage
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_LETTER = r"\p{L}"
_TARGET, _REFERENCE = 0, 1


@dataclass(frozen=True)
class _Pairs:
    """How often each word occurs in each document of a part: one entry a word and document in which it does."""

    names: list[str]
    code: Ints  # which word
    side: Ints  # which part the document is in
    hits: Floats  # occurrences of the word in the document
    size: Floats  # words of the document
    documents: Ints  # (2,) documents of each part, those without the word too
    total: Floats  # (2,) words of each part
    squares: Floats  # (2,) sum of squared sizes of documents of each part

    def sums(self, values: Floats) -> Floats:
        """Return the sum of values for each word and part, shape (words, 2)."""
        length = 2 * len(self.names)
        return np.bincount(self.code * 2 + self.side, weights=values, minlength=length).astype(float).reshape(-1, 2)


def keywords(
    words: Words, target: npt.ArrayLike, *, documents: Sequence[str] | None = None, min_count: int = 5
) -> pd.DataFrame:
    """Return how strongly each word marks the target passages against the others, strongest first.

    `words` is one list of words a passage, `target` says which passages are meant, `documents` whose they are (each
    passage is its own document without it). Words without a letter (numbers, punctuation) and words that occur fewer
    than `min_count` times are left out; `table.attrs["dropped"]` counts them. No word is left out for its length.

    Columns: word; target and reference, occurrences; target_per_million and reference_per_million words;
    target_documents and reference_documents; log_ratio, of the rates, base 2, half an occurrence standing for none
    (Hardie 2014, Log ratio); log_likelihood (Dunning 1993, Accurate methods for the statistics of surprise and
    coincidence, Computational Linguistics 19; the 2 x 2 table); design_effect, by how much that overstates a word
    whose occurrences come in bursts: the variance of the difference of rates over documents, in single draws' (Rao
    and Scott 1981, The analysis of categorical data from complex sample surveys, JASA 76), at least 1; p, of
    log_likelihood / design_effect; p_adjusted, over all words shown (Benjamini and Hochberg 1995, JRSS B 57);
    dispersion, DP in the part that the word marks, from 0 for even to 1 for one place (Gries 2008, Dispersions and
    adjusted frequencies in corpora); note, a warning where one document holds half of the occurrences there.

    Raises:
        UsageError: lengths differ, or a part has no words.

    >>> table = keywords([["数据", "开放"], ["数据", "养老"], ["养老"]], [True, False, False], min_count=1)
    >>> table[["word", "target", "reference"]].to_numpy().tolist()
    [['养老', 0, 2], ['开放', 1, 0], ['数据', 1, 1]]
    """
    lists = _lists(words)
    inside = np.asarray(target, bool)
    for name, length in (("target", len(inside)), ("documents", len(lists) if documents is None else len(documents))):
        if length != len(lists):
            raise UsageError(f"{name} has {length} entries for {len(lists)} passages; give one each")
    pairs, dropped = _pairs(lists, inside, documents, min_count)
    table = _table(pairs)
    table.attrs["dropped"] = dropped
    return table


def _lists(words: Words) -> pa.LargeListArray:
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    if not isinstance(words, pa.Array):
        words = pa.array([list(passage) for passage in words], pa.large_list(pa.string()))
    return words.cast(pa.large_list(pa.string()))


def _pairs(
    lists: pa.LargeListArray, inside: npt.NDArray[np.bool_], documents: Sequence[str] | None, min_count: int
) -> tuple[_Pairs, dict[str, int]]:
    """Count words by document and part, and the distinct words left out by reason."""
    encoded = lists.flatten().dictionary_encode()
    names = encoded.dictionary
    code = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    length = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    document = np.arange(len(lists)) if documents is None else codes(documents)
    unit = np.repeat(document.astype(np.int64) * 2 + np.where(inside, _TARGET, _REFERENCE), length)
    letter = pc.match_substring_regex(names, _LETTER).to_numpy(zero_copy_only=False).astype(bool)
    code, unit = code[letter[code]], unit[letter[code]]
    size = np.bincount(unit).astype(float)
    side = np.arange(len(size)) % 2
    total = np.bincount(side, weights=size, minlength=2).astype(float)
    if not total.all():
        part = "target" if not total[_TARGET] else "reference"
        raise UsageError(f"the {part} has no words; choose a part of the corpus that holds some passages, but not all")
    frequent = np.bincount(code, minlength=len(names)) >= min_count
    place = np.cumsum(frequent) - 1
    kept = frequent[code]
    keys, hits = np.unique(place[code[kept]] * len(size) + unit[kept], return_counts=True)
    pairs = _Pairs(
        names.filter(pa.array(frequent)).to_pylist(),
        keys // len(size),
        keys % len(size) % 2,
        hits.astype(float),
        size[keys % len(size)],
        np.bincount(side[size > 0], minlength=2),
        total,
        np.bincount(side, weights=size**2, minlength=2).astype(float),
    )
    return pairs, {"symbols": int((~letter).sum()), "rare": int((letter & ~frequent).sum())}


def _table(pairs: _Pairs) -> pd.DataFrame:
    found = pairs.sums(pairs.hits)
    rate = found / pairs.total
    half = np.maximum(found, 0.5) / pairs.total
    likelihood, (effect, freedom) = _likelihood(found, pairs.total), _effect(pairs, rate)
    p = np.asarray(fdtrc(1, freedom, divide(likelihood, effect)), float)
    dispersion, most = _spread(pairs, found, (rate[:, 1] > rate[:, 0]).astype(int))
    documents = pairs.sums(np.ones(len(pairs.hits))).astype(np.int64)
    table = pd.DataFrame(
        {
            "word": pairs.names,
            "target": found[:, 0].astype(np.int64),
            "reference": found[:, 1].astype(np.int64),
            "target_per_million": rate[:, 0] * 1e6,
            "reference_per_million": rate[:, 1] * 1e6,
            "target_documents": documents[:, 0],
            "reference_documents": documents[:, 1],
            "log_ratio": np.log2(half[:, 0] / half[:, 1]),
            "log_likelihood": likelihood,
            "design_effect": effect,
            "p": p,
            "p_adjusted": _adjusted(p),
            "dispersion": dispersion,
            "note": np.where(most >= 0.5, "half or more in one document", ""),
        }
    )
    order = pd.Series(divide(likelihood, effect)).fillna(-1)
    return (
        table.assign(_order=-order.round(9)).sort_values(["_order", "word"], ignore_index=True).drop(columns="_order")
    )


def _likelihood(found: Floats, total: Floats) -> Floats:
    """Return Dunning's G2 of each word: 2 sum(O ln(O / E)) over the word and all others, in both parts."""
    rest = total - found
    expected = found.sum(axis=1, keepdims=True) * total / total.sum()
    other = rest.sum(axis=1, keepdims=True) * total / total.sum()
    terms = xlogy(found, divide(found, expected)) + xlogy(rest, np.where(other > 0, divide(rest, other), 1))
    likelihood: Floats = np.maximum(2 * terms.sum(axis=1), 0)
    return likelihood


def _effect(pairs: _Pairs, rate: Floats) -> tuple[Floats, Floats]:
    """Return the design effect of the difference of rates and its degrees of freedom; NaN where a part is one document.

    Of a part with few documents the own figure is too low as often as too high, so it is at least its mean with the
    other part's, weighted as in `intervals.shares`. The degrees of freedom are those of a difference of two means
    (Welch 1947).
    """
    m = pairs.documents
    residual = pairs.sums(pairs.hits**2) - 2 * rate * pairs.sums(pairs.hits * pairs.size) + rate**2 * pairs.squares
    single = rate * (1 - rate) / pairs.total  # the variance that words drawn one by one would have
    own = np.where(
        single > 0, divide(divide(m, m - 1) * residual / pairs.total**2, single), np.where(m > 1, 1.0, np.nan)
    )
    mean = ((m - 1) * own + POOL_FREEDOM * own[:, ::-1]) / (m - 1 + POOL_FREEDOM)
    variance = np.maximum(np.maximum(own, mean), 1) * single
    freedom = divide(variance.sum(axis=1) ** 2, (variance**2 / (m - 1 + POOL_FREEDOM)).sum(axis=1))
    return divide(variance.sum(axis=1), single.sum(axis=1)), freedom


def _spread(pairs: _Pairs, found: Floats, marked: Ints) -> tuple[Floats, Floats]:
    """Return DP of each word in the part that it marks, and the largest share that one document there holds."""
    here = marked[pairs.code] == pairs.side
    code, side = pairs.code[here], pairs.side[here]
    part = divide(pairs.hits[here], found[code, side])
    expected = pairs.size[here] / pairs.total[side]
    words = len(pairs.names)
    gap = np.bincount(code, weights=np.abs(part - expected), minlength=words)
    without = 1 - np.bincount(code, weights=expected, minlength=words)
    most = np.zeros(words)
    np.maximum.at(most, code, part)
    return (gap + without) / 2, most


def _adjusted(p: Floats) -> Floats:
    """Return p values adjusted for the false discovery rate (Benjamini and Hochberg); NaN stays NaN."""
    result = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    result[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return result
