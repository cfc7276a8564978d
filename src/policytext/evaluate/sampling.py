"""Which passages to read: a probability sample whose inclusion probabilities are known.

Estimates that correct a classifier by hand labels are valid because every passage had a known chance, above zero, to
be read (Horvitz and Thompson 1952). So each drawn row carries it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from policytext.errors import UsageError

NONE = "(none)"
Floats = npt.NDArray[np.float64]
Allocation = Literal["equal", "proportional"]


def draw(
    passages: pd.DataFrame,
    size: int,
    *,
    allocation: Allocation | Mapping[str, int] = "equal",
    method: Literal["random", "systematic"] = "random",
    seed: int = 0,
) -> pd.DataFrame:
    """Draw `size` passages to read, stratified.

    `passages` has doc_id, n and, to stratify, stratum (see `strata`). `allocation` shares the size out: "equal" gives
    every stratum as many, so that rare labels are read, "proportional" gives it its share of passages, a mapping says
    it outright; none gets fewer than one, and all of a stratum smaller than its part is read. The rows drawn come
    back in reading order with inclusion_probability: drawn / passages of the stratum.

    "random" draws without replacement by random numbers that belong to the passages (hashes of seed, doc_id and n:
    Ohlsson 1995, Coordination of samples using permanent random numbers), so the order of rows does not matter and a
    larger sample of the same allocation holds the smaller one. "systematic" takes every k-th passage of documents in
    random order from a random start (Madow and Madow 1944), which spreads the sample over documents: better for the
    same reading where passages of one document resemble each other.

    Raises:
        UsageError: the size is impossible, or the allocation names a stratum that does not exist.

    >>> passages = pd.DataFrame({"doc_id": list("aabb"), "n": [0, 1, 0, 1], "stratum": ["x", "y", "y", "y"]})
    >>> draw(passages, 2)[["stratum", "inclusion_probability"]].round(3).to_numpy().tolist()
    [['x', 1.0], ['y', 0.333]]
    """
    strata = passages["stratum"] if "stratum" in passages else pd.Series("all", index=passages.index)
    strata = strata.astype("str").where(strata.notna(), "unknown")
    sizes = {str(name): int(count) for name, count in strata.value_counts().sort_index().items()}
    wanted = _allocate(sizes, size, allocation)
    code = pd.Categorical(strata, categories=list(sizes)).codes.astype(np.int64)
    rank = _ranks(code, passages, seed) if method == "random" else _order(code, passages, seed)
    drawn, present = np.array([wanted[name] for name in sizes]), np.array(list(sizes.values()))
    if method == "random":
        chosen = rank < drawn[code]
    else:
        start = _uniform([f"{seed}/{name}" for name in sizes], seed)
        step = drawn[code] / present[code]
        chosen = np.floor((rank + 1) * step + start[code] + 1e-9) > np.floor(rank * step + start[code] + 1e-9)
    probability = (drawn / present)[code]
    found = passages.assign(stratum=strata, inclusion_probability=probability)[chosen]
    return found.sort_values(["doc_id", "n"], ignore_index=True)


def poisson(passages: pd.DataFrame, probabilities: npt.ArrayLike, *, seed: int = 0) -> pd.DataFrame:
    """Draw each passage independently with its own probability; the size of the sample is then random.

    `passages` has doc_id and n; `probabilities` one entry a passage, above 0, at most 1 (`rates` makes them). The rows
    drawn come back in reading order with inclusion_probability (Poisson sampling: Haziza and Beaumont 2017,
    Construction of weights in surveys, Statistical Science 32).

    Raises:
        UsageError: a probability is outside (0, 1].
    """
    chance = np.asarray(probabilities, float)
    if len(chance) != len(passages):
        raise UsageError(f"{len(chance)} probabilities for {len(passages)} passages; give one each")
    if not ((chance > 0) & (chance <= 1)).all():
        raise UsageError("inclusion probabilities must be above 0 and at most 1: no passage may be out of reach")
    chosen = _uniform(_keys(passages), seed) < chance
    return passages.assign(inclusion_probability=chance)[chosen].sort_values(["doc_id", "n"], ignore_index=True)


def strata(predicted: Sequence[Collection[str]]) -> list[str]:
    """Return the stratum of each passage: the rarest of its predicted labels, "(none)" without any.

    >>> strata([{"common"}, {"common", "rare"}, set()])
    ['common', 'rare', '(none)']
    """
    counts = Counter(label for one in predicted for label in set(one))
    return [min(one, key=lambda label: (counts[label], label)) if one else NONE for one in predicted]


def rates(scores: npt.ArrayLike, size: int, *, floor: float = 0.1) -> Floats:
    """Return inclusion probabilities in proportion to scores (such as doubt), adding up to `size`.

    A passage's score counts as at least `floor` times the mean, so that none is out of reach; probabilities that
    would exceed 1 are 1, and the rest is shared out again.

    >>> rates([0, 1, 1, 8], 2).round(3).tolist()
    [0.111, 0.444, 0.444, 1.0]
    """
    wanted = np.asarray(scores, float)
    if not 0 < size <= len(wanted):
        raise UsageError(f"cannot draw {size} of {len(wanted)} passages; ask for 1 to {len(wanted)}")
    if (wanted < 0).any() or not np.isfinite(wanted).all():
        raise UsageError("scores must be finite and not negative")
    mean = wanted.mean() or 1.0
    wanted = np.maximum(wanted, floor * mean)
    sure = np.zeros(len(wanted), bool)
    while True:
        chance = np.where(sure, 1.0, wanted * (size - sure.sum()) / max(wanted[~sure].sum(), 1e-300))
        if not (chance > 1).any():
            return chance
        sure |= chance > 1


def _allocate(sizes: Mapping[str, int], size: int, allocation: Allocation | Mapping[str, int]) -> dict[str, int]:
    """Return how many to draw from each stratum."""
    total = sum(sizes.values())
    if isinstance(allocation, Mapping):
        return _given(sizes, allocation)
    if not len(sizes) <= size <= total:
        raise UsageError(
            f"cannot draw {size} of {total} passages in {len(sizes)} strata; ask for {len(sizes)} to {total}"
        )
    weights = {name: 1.0 if allocation == "equal" else float(count) for name, count in sizes.items()}
    wanted = dict.fromkeys(sizes, 0)
    for _ in range(size):  # the next one goes where the part is furthest behind its weight (Sainte-Lague)
        open_strata = [name for name in sizes if wanted[name] < sizes[name]]
        behind = max(open_strata, key=lambda name: (wanted[name] == 0, weights[name] / (2 * wanted[name] + 1), name))
        wanted[behind] += 1
    return wanted


def _given(sizes: Mapping[str, int], allocation: Mapping[str, int]) -> dict[str, int]:
    for name in [*allocation, *sizes]:
        if name not in sizes:
            raise UsageError(f'there is no stratum "{name}"; there are {", ".join(sizes)}')
        if not 0 < allocation.get(name, 0) <= sizes[name]:
            raise UsageError(f'stratum "{name}" has {sizes[name]} passages; draw 1 to {sizes[name]} of them')
    return {name: allocation[name] for name in sizes}


def _ranks(code: npt.NDArray[np.int64], passages: pd.DataFrame, seed: int) -> npt.NDArray[np.int64]:
    """Return each passage's place in its stratum by its own random number."""
    return _places(code, np.lexsort((np.asarray(_keys(passages)), _uniform(_keys(passages), seed), code)))


def _order(code: npt.NDArray[np.int64], passages: pd.DataFrame, seed: int) -> npt.NDArray[np.int64]:
    """Return each passage's place in its stratum with documents in random order and passages in reading order."""
    documents = passages["doc_id"].astype(str).to_numpy(dtype=object)
    order = np.lexsort((passages["n"].to_numpy(), documents.astype(str), _uniform(list(documents), seed), code))
    return _places(code, order)


def _places(code: npt.NDArray[np.int64], order: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """Turn an order that is sorted by stratum into places counted from 0 in each stratum."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(code))])
    place = np.empty(len(code), np.int64)
    place[order] = np.arange(len(code)) - starts[code[order]]
    return place


def _keys(passages: pd.DataFrame) -> list[str]:
    return [f"{doc_id}/{n}" for doc_id, n in zip(passages["doc_id"], passages["n"], strict=True)]


def _uniform(keys: Sequence[str], seed: int) -> Floats:
    """Return a number in [0, 1) for each key that depends on the key and the seed alone."""
    hashes = pd.util.hash_array(np.asarray(keys, dtype=object), hash_key=f"{seed:016d}"[-16:], categorize=False)
    return (hashes >> np.uint64(11)).astype(float) / 2**53
