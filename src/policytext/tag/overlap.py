"""Which passages are near-copies of held-out ones: what must not be learnt from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policytext.tag.features import code_points, packed

Ints = NDArray[np.int64]


def copies(texts: Sequence[str], held_out: Sequence[str], *, shared: float = 0.5) -> Ints:
    """Return positions of the texts that share at least half of their 8-character shingles with a held-out text.

    The share is of the shorter of the two, so that a passage quoted inside a longer one is found too.
    """
    ours, rows = _shingles(texts)
    theirs, held_rows = _shingles(held_out)
    owners: dict[int, list[int]] = {}
    for key, row in zip(theirs.tolist(), held_rows.tolist(), strict=True):
        owners.setdefault(key, []).append(row)
    mine, sizes = np.bincount(rows, minlength=len(texts)), np.bincount(held_rows, minlength=len(held_out))
    common: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(np.isin(ours, theirs)).tolist():
        for owner in owners[int(ours[at])]:
            pair = (int(rows[at]), owner)
            common[pair] = common.get(pair, 0) + 1
    found = {row for (row, owner), n in common.items() if n >= shared * min(mine[row], sizes[owner])}
    return np.array(sorted(found), dtype=np.int64)


def _shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], Ints]:
    """Return the different 8-grams of each text, hashed from two packed 4-grams, and the text of each."""
    codes, rows = code_points(texts)
    ((_, keys),) = packed(codes, (4,))
    first, second = keys[:-4], keys[4:]
    whole = (first != 0) & (second != 0) & (rows[:-4] == rows[4:])[: len(first)]
    mixed = first[whole] * np.uint64(0x9E3779B97F4A7C15) ^ second[whole]
    pairs = np.unique(np.stack([mixed, rows[: len(first)][whole].astype(np.uint64)], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1].astype(np.int64)
