"""What NumPy lacks or does slowly, for several rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values of a 1-D array, sorted: `numpy.unique` by sorting.

    Since NumPy 2.3 that fills a hash table first, which takes ten times as long for a million integers.

    >>> distinct(np.array([3, 1, 3, 2])).tolist()
    [1, 2, 3]
    """
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]
