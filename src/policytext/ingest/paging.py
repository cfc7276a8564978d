"""What stands on every page of a PDF and belongs to none: page numbers, running heads and feet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_MARKED = re.compile(r"\s*(?:[-—–·‐]{1,2}\s*\d{1,4}\s*[-—–·‐]{1,2}|第?\s*\d{1,4}\s*[页頁].{0,12})\s*")
_BARE = re.compile(r"\s*\d{1,4}\s*")
_LINES = 2  # at an edge that may run through
_PAGES = 3  # that a line must stand on to run through


def without_running_lines(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    r"""Return the pages without page numbers and running lines, and what these lines were.

    A bare number is the page's where it counts with the pages; at most one line an edge is a number. A line runs
    through if it stands at the same edge of three pages or more, but for its digits.

    >>> without_running_lines(["甲报 第1期\n一\n1", "甲报 第2期\n二\n340\n2", "甲报 第3期\n三\n3"])
    (['一', '二\n340', '三'], ['甲报 第1期'])
    """
    lines = [page.split("\n") for page in pages]
    left: list[str] = []
    for edge in (0, -1):
        _drop_numbers(lines, edge)
        for _ in range(_LINES):
            left += _drop_running(lines, edge)
            _drop_numbers(lines, edge)
    return ["\n".join(page).strip("\n") for page in lines], left


def _at(page: list[str], edge: int) -> str:
    while page and not page[edge].strip():
        page.pop(edge)
    return page[edge].strip() if page else ""


def _drop_numbers(pages: list[list[str]], edge: int) -> None:
    bare = {i: int(line) for i, page in enumerate(pages) if _BARE.fullmatch(line := _at(page, edge))}
    shifts = Counter(number - i for i, number in bare.items())
    shift, often = shifts.most_common(1)[0] if shifts else (0, 0)
    counts = often >= 2 or (len(pages) == 1 and shift == 1)
    for i, page in enumerate(pages):
        if _MARKED.fullmatch(_at(page, edge)) or (counts and bare.get(i, -1) - i == shift):
            page.pop(edge)


def _drop_running(pages: list[list[str]], edge: int) -> list[str]:
    keys = [re.sub(r"[\d\s]", "", _at(page, edge)) for page in pages]
    runs = {key for key, count in Counter(keys).items() if len(key) > 1 and count >= _PAGES}
    left: dict[str, str] = {}
    for key, page in zip(keys, pages, strict=True):
        if key in runs:
            left.setdefault(key, page.pop(edge).strip()) if key not in left else page.pop(edge)
    return list(left.values())
