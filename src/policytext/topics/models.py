"""Topic models: what a corpus speaks of, and which passage speaks of what."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from policytext.arrays import distinct
from policytext.config import TopicsConfig
from policytext.errors import ModelError, UsageError

FORMAT = 1
UNASSIGNED = -1
Words: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[Sequence[str]]"  # one list of words a passage
Lists: TypeAlias = "pa.ListArray | pa.LargeListArray"

_LETTER = r"\p{L}"  # a word without one is punctuation, a number or space
_BLOCK = 8192  # passages solved at a time: their weights stay in the processor's cache
# Sweeps of the non-negative least squares: with 12 and with 50 topics on real passages 10 leave an error under 1e-8.
_SWEEPS = 10
_ITERATIONS = 400
# Of the factorisation: on 20,000 real passages the default, 1e-4, takes 1.2 to 2 times as long for the same topics
# (mean cosine 1.000 with 12 and 20 topics).
_TOLERANCE = 1e-3


class EmptyVocabulary(UsageError):  # noqa: N818 - the noun says it all
    """No word is left to make topics of."""


@dataclass(frozen=True)
class Vocabulary:
    """The words a model knows, and what became of the others: the number of distinct words left out, by reason."""

    words: tuple[str, ...]  # sorted
    symbols: int = 0  # without a letter: punctuation, numbers, space
    stopwords: int = 0
    rare: int = 0
    common: tuple[str, ...] = ()  # in too large a share of passages; few, so all are named

    def report(self) -> dict[str, Any]:
        """Return the counts of words kept and dropped."""
        dropped = {"symbols": self.symbols, "stopwords": self.stopwords, "rare": self.rare, "common": len(self.common)}
        return {"kept": len(self.words), "dropped": dropped, "common_words": list(self.common)}


@dataclass(frozen=True)
class TopicModel:
    """Fitted topics; `fit` makes one, `load` reads one."""

    config: TopicsConfig
    vocabulary: Vocabulary
    idf: npt.NDArray[np.float64] = field(repr=False)  # (words,)
    topics: npt.NDArray[np.float64] = field(repr=False)  # (k, words); each row sums to 1
    passages: int = 0  # that the model was fitted on
    converged: bool = True  # False: the fit was stopped before the topics settled; more topics than the corpus has?

    @property
    def k(self) -> int:
        """The number of topics: at most `config.k`, fewer where the corpus has no more."""
        return len(self.topics)

    def assign(self, words: Words) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Return the strongest topic of each passage, and its share of what the model finds in the passage.

        A passage that holds no word of the vocabulary gets topic -1 and share 0: a series of its own, never left out.
        """
        weights = self.transform(words)
        total = weights.sum(axis=1)
        shares = np.divide(weights, total[:, None], out=np.zeros_like(weights), where=total[:, None] > 0)
        ids = np.where(total > 0, shares.argmax(axis=1), UNASSIGNED).astype(np.int32)
        return ids, shares.max(axis=1, initial=0)

    def transform(self, words: Words) -> npt.NDArray[np.float64]:
        """Return the weights of all topics in each passage, shape (passages, k), by non-negative least squares.

        Each row depends on its own passage alone, to the last bit.
        """
        matrix = _weighted(count_words(as_lists(words), self.vocabulary.words), self.idf)
        return _solve(matrix @ self.topics.T, self.topics @ self.topics.T)

    def terms(self, count: int = 10) -> list[list[tuple[str, float]]]:
        """Return for every topic its strongest words and their weights, at most `count`, strongest first."""
        order = np.argsort(-self.topics, axis=1, kind="stable")[:, :count]
        return [
            [(self.vocabulary.words[i], float(row[i])) for i in best if row[i] > 0]
            for row, best in zip(self.topics, order, strict=True)
        ]

    def labels(self, count: int = 4) -> list[str]:
        """Return a name for each topic: its strongest words."""
        return ["、".join(word for word, _ in row) for row in self.terms(count)]

    def save(self, folder: Path | str) -> None:
        """Write `topics.npz` (arrays) and `card.json` into a folder."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "topics.npz.part").open("wb") as file:
            np.savez_compressed(file, idf=self.idf, topics=self.topics)
        card: dict[str, Any] = {
            "format": FORMAT,
            "kind": "topics",
            "config": asdict(self.config),
            "passages": self.passages,
            "converged": self.converged,
            "labels": self.labels(),
            "vocabulary": asdict(self.vocabulary),
        }
        card["sha256"] = _digest(card, (folder / "topics.npz.part").read_bytes())
        (folder / "card.json.part").write_text(json.dumps(card, ensure_ascii=False, indent=1), encoding="utf-8")
        for name in ("topics.npz", "card.json"):
            (folder / f"{name}.part").replace(folder / name)


def fit(words: Words, config: TopicsConfig, *, keys: Sequence[str] | None = None) -> TopicModel:
    """Fit topics to passages by non-negative matrix factorisation of their TF-IDF.

    `words` is one list of words a passage (an Arrow list array, or sequences). Past `config.fit_passages`, a sample
    is drawn by a hash of `keys`, one unique string a passage such as "doc_id/n" (without keys: of the words); the
    order of passages never matters. No word is left out for its length; `vocabulary` says what was left out and why.

    Source: Lee and Seung (1999), Nature 401; the solver is scikit-learn's coordinate descent from a NNDSVD start.

    Raises:
        EmptyVocabulary: no word is left, with what to change.

    >>> model = fit([["数据", "开放"], ["养老", "服务"]] * 30, TopicsConfig(k=2, max_share=0.9))
    >>> sorted(sorted(label.split("、")) for label in model.labels(2))
    [['养老', '服务'], ['开放', '数据']]
    >>> ids, shares = model.assign([["数据", "很", "开放"], ["经济"]])
    >>> int(ids[1]), float(shares[0])
    (-1, 1.0)
    """
    sample = _sample(as_lists(words), config, keys)
    vocabulary = _vocabulary(sample, config)
    counts = count_words(sample, vocabulary.words)
    present = np.bincount(counts.indices, minlength=len(vocabulary.words))
    idf = np.log((1 + counts.shape[0]) / (1 + present)) + 1  # as scikit-learn smooths it
    topics, converged = _factorise(_weighted(counts, idf), config)
    return TopicModel(config, vocabulary, idf, topics, passages=counts.shape[0], converged=converged)


def load(folder: Path | str) -> TopicModel:
    """Read a model that `save` wrote.

    Raises:
        ModelError: a file is missing, altered, or of another format version.
    """
    folder = Path(folder)
    try:
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        data = (folder / "topics.npz").read_bytes()
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: no readable topic model: {error}; fit one with `policytext topics fit`") from error
    if card.get("kind") != "topics" or card.get("format") != FORMAT:
        raise ModelError(f"{folder}: not a topic model of format {FORMAT}; fit it again with this version")
    if _digest(card, data) != card.get("sha256"):
        raise ModelError(f"{folder}: topics.npz or card.json was altered after saving; fit the model again")
    with np.load(folder / "topics.npz", allow_pickle=False) as arrays:
        idf, topics = arrays["idf"], arrays["topics"]
    known: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in card["vocabulary"].items()
    }
    config = TopicsConfig(**card["config"])
    return TopicModel(config, Vocabulary(**known), idf, topics, card["passages"], card["converged"])


def _digest(card: dict[str, Any], arrays: bytes) -> str:
    """Return a hash over all of a model but the hash itself."""
    rest = json.dumps({key: value for key, value in card.items() if key != "sha256"}, sort_keys=True)
    return hashlib.sha256(rest.encode() + arrays).hexdigest()


def stopwords() -> frozenset[str]:
    """Return the words that never make a topic, from `stopwords.txt` beside this module."""
    lines = files("policytext.topics").joinpath("stopwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def as_lists(words: Words) -> Lists:
    """Return the passages' words as one Arrow list array, without nulls or offsets."""
    if isinstance(words, pa.ChunkedArray):
        words = words.combine_chunks()
    if not isinstance(words, pa.Array):
        words = pa.array([list(passage) for passage in words], pa.large_list(pa.string()))
    return words.fill_null([]) if words.null_count else words


def hashed(keys: Sequence[str] | npt.NDArray[np.object_], seed: int) -> npt.NDArray[np.uint64]:
    """Return a number for each key that depends on the key and the seed alone, the same on every machine."""
    names = np.asarray(keys, dtype=object)
    return pd.util.hash_array(names, hash_key=f"{seed:016d}"[-16:], categorize=False)


def _sample(lists: Lists, config: TopicsConfig, keys: Sequence[str] | None) -> Lists:
    """Return the passages to fit on, in an order that depends on what they are, not on where they stood."""
    if keys is None:
        keys = pc.binary_join(lists, "\x1f").to_pylist()
    names = np.asarray(keys, dtype=object)
    order = np.lexsort((pd.factorize(names, sort=True)[0], hashed(names, config.seed)))[: config.fit_passages]
    return lists.take(pa.array(order))


def _vocabulary(sample: Lists, config: TopicsConfig) -> Vocabulary:
    """Choose the words of the model."""
    row, code, names = _encoded(sample)
    pairs = distinct(row * max(len(names), 1) + code)
    present = np.bincount(pairs % max(len(names), 1), minlength=len(names))
    symbol = ~pc.match_substring_regex(names, _LETTER).to_numpy(zero_copy_only=False)
    stop = pc.is_in(names, value_set=pa.array(sorted(stopwords()))).to_numpy(zero_copy_only=False) & ~symbol
    least = config.min_passages or _least(len(sample))
    rare = (present < least) & ~symbol & ~stop
    common = (present > config.max_share * len(sample)) & ~symbol & ~stop & ~rare
    kept = names.filter(pa.array(~(symbol | stop | rare | common))).to_pylist()
    if not kept:
        raise EmptyVocabulary(
            f"no word is left for topics: of {len(names)} distinct words in {len(sample)} passages, {symbol.sum()} are"
            f" symbols or numbers, {stop.sum()} function words, {rare.sum()} in fewer than {least}"
            f" passages, {common.sum()} in more than {config.max_share:.0%} of them; lower [topics] min_passages, raise"
            " max_share, or read more documents"
        )
    return Vocabulary(
        tuple(sorted(kept)),
        int(symbol.sum()),
        int(stop.sum()),
        int(rare.sum()),
        tuple(sorted(names.filter(pa.array(common)).to_pylist())),
    )


def _least(passages: int) -> int:
    """Return in how many passages a word must stand when the config leaves it open: 1 in 400, from 2 to 20.

    >>> _least(40), _least(2_000), _least(20_000)
    (2, 5, 20)
    """
    return max(2, min(20, passages // 400))


def _encoded(lists: Lists) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], pa.Array]:
    """Return for every word its passage, its code, and what the codes stand for; Latin words in lower case."""
    encoded = lists.flatten().dictionary_encode()
    lower = pc.utf8_lower(encoded.dictionary.cast(pa.string())).dictionary_encode()  # the distinct words, not all words
    codes = lower.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    row = np.repeat(np.arange(len(lists)), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    return row, codes[encoded.indices.to_numpy(zero_copy_only=False)], lower.dictionary


def count_words(lists: Lists, vocabulary: Sequence[str]) -> sparse.csr_matrix:
    """Count the vocabulary's words in each passage, shape (passages, words)."""
    encoded = lists.flatten().dictionary_encode()
    names = pc.utf8_lower(encoded.dictionary.cast(pa.string()))  # of the distinct words, far fewer than words
    column = pc.index_in(names, value_set=pa.array(vocabulary, pa.string())).fill_null(-1)
    column = column.to_numpy(zero_copy_only=False)[encoded.indices.to_numpy(zero_copy_only=False)]
    known = np.flatnonzero(column >= 0)
    ends = np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False))
    starts = np.searchsorted(known, np.concatenate([[0], ends]))
    counts = sparse.csr_matrix((np.ones(len(known)), column[known], starts), shape=(len(lists), len(vocabulary)))
    counts.sum_duplicates()
    return counts


def _weighted(counts: sparse.csr_matrix, idf: npt.NDArray[np.float64]) -> sparse.csr_matrix:
    """Return TF-IDF: 1 + log of the count, times idf, each passage to length 1."""
    data = (1 + np.log(counts.data)) * idf[counts.indices]
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    length = np.sqrt(np.bincount(row, weights=data**2, minlength=counts.shape[0]))
    return sparse.csr_matrix((data / length[row], counts.indices, counts.indptr), shape=counts.shape)


def _factorise(matrix: sparse.csr_matrix, config: TopicsConfig) -> tuple[npt.NDArray[np.float64], bool]:
    """Return the topics of a TF-IDF matrix, (k, words), rows to sum 1, the heaviest first; and whether they settled."""
    from sklearn.decomposition import NMF  # slow to load, and only a fit needs it
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    filled = matrix[np.diff(matrix.indptr) > 0]
    k = min(config.k, *filled.shape)
    init = "nndsvd" if k < min(filled.shape) else "random"
    model = NMF(k, init=init, random_state=config.seed, max_iter=_ITERATIONS, tol=_TOLERANCE)
    # One thread: on a busy machine several take 12 times as long (k = 20), and the sums would depend on their number.
    with threadpool_limits(1), np.errstate(invalid="ignore"), warnings.catch_warnings():
        # scikit-learn takes the root of an error of -1e-17 where the fit is exact; `converged` says the other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = model.fit_transform(filled)
    mass = model.components_.sum(axis=1)
    order = np.argsort(-(weights.sum(axis=0) * mass), kind="stable")
    order = order[mass[order] > 0]
    return model.components_[order] / mass[order, None], model.n_iter_ < _ITERATIONS


def _solve(target: npt.NDArray[np.float64], gram: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Minimise |X - W H| over W >= 0, given target = X H' (passages, k) and gram = H H'.

    Cyclic coordinate descent, the algorithm of scikit-learn's transform, on all passages of a block at once. Only
    elementwise operations, so that a row does not depend on its neighbours as it would in a matrix product; a topic's
    numbers lie side by side, which is five times as fast as a passage's.
    """
    weights = np.zeros_like(target)
    scale = np.diag(gram)
    for start in range(0, len(target), _BLOCK):
        rest = np.ascontiguousarray(target[start : start + _BLOCK].T)  # the negative gradient, (k, passages)
        w, change = np.zeros_like(rest), np.empty_like(rest)
        for _ in range(_SWEEPS):
            for topic, row in enumerate(gram):
                step = np.maximum(rest[topic] / scale[topic], -w[topic])
                w[topic] += step
                rest -= np.multiply(row[:, None], step, out=change)
        weights[start : start + _BLOCK] = w.T
    return weights
