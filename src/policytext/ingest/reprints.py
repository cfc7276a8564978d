"""Reprints: near-identical documents across outlets and scripts, found at the scale of a corpus.

Candidates come from MinHash signatures over character 6-grams (one permutation, empty bins filled by rotation:
Li, Owen and Zhang 2012; Shrivastava and Li 2014) in bands of a locality-sensitive hash. A candidate pair is one text
if most of the shorter one's sentences stand word for word in the longer one. Sentences decide because a series fills a
template: this year's notice shares most of its 6-grams with last year's, but numbers and names change in nearly every
sentence, while a reprint drops or adds whole sentences. The result does not depend on the order of the documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

Array = Any  # numpy.ndarray

_GRAM = 6  # characters; two years' reports of one government share under 15 % of their 6-grams
_SIZE = 192  # bins of the signature
_BANDS = 64  # of 3 rows: a pair with overlap 0.5 becomes a candidate with probability 0.9998, with 0.3 in 0.83
_ROWS = _SIZE // _BANDS
_SHARED = 0.6  # so much of the shorter's sentences, by length, must stand in the longer; of 14,340 pairs in a series
# 0.1 % share more, of reprints with a tenth of the sentences dropped and another head and foot 99 %
_LENGTHS = 0.55  # and the shorter must have at least this share of the longer's length
_AROUND = 150  # characters of a head and foot, which one of the two may have and the other not
_OWN, _DROPPED = 0.05, 0.2  # beyond these, so much of the shorter and of the longer may stand in it alone
_SENTENCE = 6  # characters: shorter ones prove nothing
_LEADERS = 64  # texts that differ though they fell into one bucket, compared with each newcomer
_REMEMBERED = 1_000_000  # pairs that differ, about 100 MB; it only saves comparing them again
_WORD, _END = 1, 2
_ENDS = [ord(mark) for mark in "。！？!?；;\r\n"]


@dataclass(frozen=True)
class Sketch:
    """What is kept of a document: about 1.3 KB and 10 bytes a sentence, so that a corpus need not be in memory."""

    doc_id: str
    signature: Array  # uint32[192]
    sentences: Array  # sorted hashes, uint64
    lengths: Array  # of these sentences, uint32

    @cached_property
    def size(self) -> int:
        """Length of all sentences together, in characters that are letters, digits or Chinese."""
        return int(self.lengths.sum())


def cluster(docs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Cluster documents given as (id, simplified text); returns (id, cluster) for each id, sorted.

    A cluster is named by the smallest id in it, so a document without reprints is its own cluster.

    >>> text = "为推进数字政府建设，提高政务服务效率，现就有关事项通知如下。" * 3
    >>> cluster([("b", text + "（来源：某网）"), ("a", text), ("c", "完全不同的另一篇文章，说的是别的事情。")])
    [('a', 'a'), ('b', 'a'), ('c', 'c')]
    """
    return join(sketch(doc_id, text) for doc_id, text in docs)


def sketch(doc_id: str, text: str) -> Sketch:
    """Return the sketch of a document."""
    import numpy as np

    raw = np.frombuffer(text.lower().encode("utf-32-le", "replace"), dtype=np.uint32)
    kinds = _kinds().take(raw)
    kept = np.flatnonzero(kinds == _WORD)
    points = raw[kept].astype(np.uint64)
    numbers = np.cumsum(kinds == _END)[kept]  # of the sentence that each point stands in
    sentences, lengths = _sentences(points, numbers)
    return Sketch(doc_id, _signature(_grams(points)), sentences, lengths)


def join(sketches: Iterable[Sketch]) -> list[tuple[str, str]]:
    """Cluster sketches; returns (id, cluster) for each id, sorted."""
    ordered = sorted(sketches, key=lambda item: item.doc_id)
    parents = list(range(len(ordered)))
    different: set[tuple[int, int]] = set()
    for bucket in _buckets(ordered):
        _join_bucket(bucket, ordered, parents, different)
    return [(item.doc_id, ordered[_root(parents, i)].doc_id) for i, item in enumerate(ordered)]


def overlap(one: Sketch, other: Sketch) -> float:
    """Return the estimated Jaccard overlap of two documents' 6-grams."""
    return float((one.signature == other.signature).mean())


def shared(one: Sketch, other: Sketch) -> float:
    """Return the share of the shorter document's sentences, by length, that stand in the longer one too."""
    return _common(one, other) / max(1, min(one.size, other.size))


def same(one: Sketch, other: Sketch) -> bool:
    """Say whether two documents are one text.

    What stands in one only is a head, a foot and what was dropped: a new edition of a law has more of its own.
    """
    shorter, longer = sorted((one.size, other.size))
    if shorter < _LENGTHS * longer:
        return False
    common = _common(one, other)
    within = shorter - common <= _AROUND + _OWN * shorter and longer - common <= _AROUND + _DROPPED * longer
    return common >= _SHARED * shorter and within


def _common(one: Sketch, other: Sketch) -> int:
    """Return the length of the shorter document's sentences that stand in the longer one too."""
    import numpy as np

    shorter, longer = sorted((one, other), key=lambda item: (item.size, item.doc_id))
    places = np.searchsorted(longer.sentences, shorter.sentences)
    found = longer.sentences[np.minimum(places, len(longer.sentences) - 1)] == shorter.sentences
    return int(shorter.lengths[found].sum())


def _sentences(points: Array, numbers: Array) -> tuple[Array, Array]:
    """Return the sorted distinct hashes of sentences and their lengths; short ones are left out if there are others."""
    import numpy as np

    if len(points) == 0:
        return np.zeros(1, dtype=np.uint64), np.ones(1, dtype=np.uint32)
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1])))
    lengths = np.diff(np.append(starts, len(points)))
    places = np.arange(1, len(points) + 1, dtype=np.uint64) - np.repeat(starts, lengths).astype(np.uint64)
    hashes = np.add.reduceat(_mixed(points * _mixed(places)), starts)
    if (lengths >= _SENTENCE).any():
        hashes, lengths = hashes[lengths >= _SENTENCE], lengths[lengths >= _SENTENCE]
    distinct, first = np.unique(hashes, return_index=True)
    return distinct, lengths[first].astype(np.uint32)


def _grams(points: Array) -> Array:
    """Return the 6-grams, hashed to uint64, in reading order."""
    import numpy as np

    if len(points) == 0:
        return np.array([0], dtype=np.uint64)
    size = min(_GRAM, len(points))
    hashed = np.zeros(len(points) - size + 1, dtype=np.uint64)
    for k in range(size):
        hashed = hashed * np.uint64(0x100000001B3) + points[k : len(points) - size + 1 + k]
    return _mixed(hashed)


def _signature(grams: Array) -> Array:
    """Return the smallest hash in each bin; an empty bin takes that of the next full one, marked by its distance."""
    import numpy as np

    width = np.uint64((1 << 64) // _SIZE)
    bins = np.minimum(grams // width, np.uint64(_SIZE - 1)).astype(np.int64)
    least = np.full(_SIZE, np.iinfo(np.uint64).max, dtype=np.uint64)
    np.minimum.at(least, bins, grams)
    full = np.flatnonzero(np.bincount(bins, minlength=_SIZE))
    rest = ((least[full] % width) >> np.uint64(24)).astype(np.uint32)
    places = np.searchsorted(full, np.arange(_SIZE))
    distance = np.where(places == len(full), full[0] + _SIZE, full[np.minimum(places, len(full) - 1)]) - np.arange(
        _SIZE
    )
    return rest[places % len(full)] + distance.astype(np.uint32) * np.uint32(2_654_435_761)


@cache
def _kinds() -> Array:
    """Return a table over code points: digits, Latin letters and Chinese characters are words, some marks ends."""
    import numpy as np

    table = np.zeros(0x110000, dtype=np.uint8)
    for first, last in ((0x30, 0x39), (0x61, 0x7A), (0x3400, 0x9FFF), (0x20000, 0x3FFFF)):
        table[first : last + 1] = _WORD
    table[_ENDS] = _END
    return table


def _mixed(values: Array) -> Array:
    """Spread hashes over all bits (the finaliser of splitmix64)."""
    import numpy as np

    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _buckets(ordered: list[Sketch]) -> Iterator[list[int]]:
    """Yield groups of documents that agree in all rows of a band, in ascending order of their ids."""
    import numpy as np

    if not ordered:
        return
    signatures = np.stack([item.signature for item in ordered])
    for band in range(_BANDS):
        keys = np.zeros(len(ordered), dtype=np.uint64)
        for row in range(band * _ROWS, (band + 1) * _ROWS):
            keys = _mixed(keys ^ signatures[:, row])
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], keys[order][1:] != keys[order][:-1])))
        sizes = np.diff(np.append(starts, len(order)))
        several = zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True)
        yield from sorted(order[start : start + size].tolist() for start, size in several)


def _join_bucket(bucket: list[int], ordered: list[Sketch], parents: list[int], different: set[tuple[int, int]]) -> None:
    """Join each document with the first one in the bucket that is the same text; note the pairs that are not."""
    leaders: list[int] = []

    def one_text(i: int, j: int) -> bool:
        if (i, j) in different:  # they met in another band
            return False
        found = same(ordered[i], ordered[j])
        if not found and len(different) < _REMEMBERED:
            different.add((i, j))
        return found

    for i in bucket:
        root = _root(parents, i)
        match = next((j for j in leaders if _root(parents, j) == root or one_text(i, j)), None)
        if match is None:
            if len(leaders) < _LEADERS:
                leaders.append(i)
        elif (other := _root(parents, match)) != root:
            parents[max(root, other)] = min(root, other)


def _root(parents: list[int], i: int) -> int:
    while parents[i] != i:
        parents[i] = parents[parents[i]]
        i = parents[i]
    return i
