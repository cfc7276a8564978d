"""What the room's queries of the store share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd

from policytext.records import CODED_KINDS

CODED = "kind IN (" + ", ".join(f"'{kind}'" for kind in CODED_KINDS) + ")"


class Queryable(Protocol):
    """What a store offers here: rows for a query."""

    def sql(self, query: str, params: Sequence[Any] = ...) -> pd.DataFrame:
        """Return the rows of a query."""


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a result."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def text_or_none(value: Any) -> str | None:
    """Return a value of a text column; None for null and the empty text."""
    return None if value is None or pd.isna(value) or not str(value) else str(value)
