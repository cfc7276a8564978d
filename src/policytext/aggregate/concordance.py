"""A term in its contexts (KWIC)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from policytext.errors import UsageError

COLUMNS = ["doc_id", "n", "left", "term", "right", "start", "end"]


def kwic(passages: pd.DataFrame, term: str, *, width: int = 20, regex: bool = False) -> pd.DataFrame:
    """Return every occurrence of a term with the characters around it.

    `passages` has doc_id, n, text, and start, the passage's place in its document (0 where the column is missing).
    The term is matched on characters, never on words, so no segmenter can hide it; with `regex` it is a regular
    expression. The result has doc_id, n, left and right (up to `width` characters of the same passage), term (as
    found), start and end (half-open, on the ruler of `start`: of the document's simplified text), in reading order.

    Raises:
        UsageError: the term is empty, the width negative, or the expression invalid or matching nothing at all.

    >>> passages = pd.DataFrame({"doc_id": ["a"], "n": [0], "text": ["推进数据开放和数据共享。"]})
    >>> kwic(passages, "数据", width=2)[["left", "term", "right", "start", "end"]]
      left term right  start  end
    0   推进   数据    开放      2    4
    1   放和   数据    共享      7    9
    """
    pattern = _compiled(term, regex=regex)
    if width < 0:
        raise UsageError(f"width is {width}; give 0 or more characters")
    starts = passages["start"].tolist() if "start" in passages else [0] * len(passages)
    columns = (passages[name].tolist() for name in ("doc_id", "n", "text"))
    rows = [
        (
            doc_id,
            n,
            text[max(0, start - width) : start],
            text[start:end],
            text[end : end + width],
            start + offset,
            end + offset,
        )
        for doc_id, n, text, offset in zip(*columns, starts, strict=True)
        for start, end in _spans(pattern, text)
    ]
    found = pd.DataFrame(rows, columns=COLUMNS)
    return found.sort_values(["doc_id", "start", "end"], ignore_index=True, kind="stable")


def _compiled(term: str, *, regex: bool) -> str | re.Pattern[str]:
    if not term:
        raise UsageError("the term is empty; give at least one character")
    if not regex:
        return term
    try:
        pattern = re.compile(term)
    except re.error as error:
        raise UsageError(
            f'"{term}" is no regular expression: {error}; without regex it is searched as it is'
        ) from error
    if pattern.fullmatch(""):
        raise UsageError(
            f'"{term}" matches the empty string, so everywhere; write an expression that needs a character'
        )
    return pattern


def _spans(pattern: str | re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    if isinstance(pattern, re.Pattern):
        yield from (match.span() for match in pattern.finditer(text) if match.end() > match.start())
        return
    start = text.find(pattern)
    while start >= 0:
        yield start, start + len(pattern)
        start = text.find(pattern, start + len(pattern))
