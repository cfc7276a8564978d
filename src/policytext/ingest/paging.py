"""What stands on every page of a PDF and belongs to none: page numbers, running heads and feet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_MARKED = re.compile(r"\s*(?:[-—–·‐]{1,2}\s*\d{1,4}\s*[-—–·‐]{1,2}|第?\s*\d{1,4}\s*[页頁].{0,12})\s*")
_BARE = re.compile(r"\s*\d{1,4}\s*")
# Lines that are the document's own, however often they stand there.
_OWN = re.compile(r"附\s*[件表录錄]|第[\d一二三四五六七八九十百]+[章条條节節编編]|(?:19|20)\d\d\s*年.{1,9}[日号號]\s*$")
_LINES = 2  # at an edge that may run through
_PAGES = 3  # that a line must stand on to run through


def without_running_lines(pages: Sequence[str]) -> tuple[list[str], list[str]]:
    r"""Return the pages without page numbers and running lines, and what these lines were.

    A bare number is the page's where it counts with the pages; at most one line an edge is a number. A line runs
    through if it stands at the same edge of three pages or more, but for a number that counts with the pages.

    >>> without_running_lines(["甲报 第8期\n一\n1", "甲报 第8期\n二\n340\n2", "甲报 第8期\n三\n3"])
    (['一', '二\n340', '三'], ['甲报 第8期'])
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
    found = [_at(page, edge) for page in pages]
    keys = [_keys(line, i) for i, line in enumerate(found)]
    often = Counter(key for several in keys for key in several)
    left: dict[str, str] = {}
    for line, several, page in zip(found, keys, pages, strict=True):
        runs = max(sorted(several), key=lambda key: often[key], default="")
        if often[runs] >= _PAGES:
            left.setdefault(runs, line)
            page.pop(edge)
    return list(left.values())


def _keys(line: str, page: int) -> set[str]:
    """Return what a line has in common with its like on other pages: all of it, or all but a number that counts."""
    if len(re.sub(r"[\d\W_]", "", line)) < 2 or _OWN.match(line):
        return set()
    numbers = list(re.finditer(r"\d{1,4}", line))
    ends = {match.span(): match for match in (*numbers[:1], *numbers[-1:])}.values()
    return {line} | {f"{line[: m.start()]}…{int(m[0]) - page}{line[m.end() :]}" for m in ends}
