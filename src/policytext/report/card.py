"""The classifier's card and the provenance as rows that a page can show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policytext.codebook import Codebook


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested provenance as (dotted key, text) rows."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((name, ", ".join(str(item) for item in value)))
        else:
            rows.append((name, "–" if value is None else str(value)))
    return rows


_METRICS = {
    "positives": "训练正例 positives",
    "precision": "精确率 precision",
    "recall": "召回率 recall",
    "f1": "F1",
    "expected_calibration_error": "校准误差 ECE",
    "abstain_f1": "弃权后 F1 with abstention",
    "thresholds": "阈值 threshold",
}


def table(card: Mapping[str, Any], codebook: Codebook) -> dict[str, Any]:
    """Return the classifier's card: a table of whatever it says by label, its limits, and the rest as rows.

    A card holds mappings label -> number (`f1`), or label -> mapping of numbers (`scores`), at the top or one level in
    (`cross_validation`); what else such a part says in plain values tells how its numbers came about.
    """
    labels = codebook.ids("classifier")
    columns: dict[str, Mapping[str, Any]] = {}
    basis: list[tuple[str, str]] = []
    parts = [("", card), *((str(key), value) for key, value in card.items() if isinstance(value, Mapping))]
    for name, part in parts:
        found = [_by_label(str(key), value, labels) for key, value in part.items() if isinstance(value, Mapping)]
        for more in found:
            columns |= more
        if name and any(found):
            basis.append(
                (name, " · ".join(f"{key} {_plain(value)}" for key, value in part.items() if _is_plain(value)))
            )
    order = [*(key for key in _METRICS if key in columns), *(key for key in columns if key not in _METRICS)]
    limits = card.get("limits", ())
    return {
        "columns": [_METRICS.get(key, key) for key in order],
        "rows": [(codebook.label(label), [_number(columns[key].get(label)) for key in order]) for label in labels]
        if order
        else [],
        "basis": basis,
        "labelled_by": str(card.get("labelled_by", "")),
        "limits": [str(limit) for limit in limits] if isinstance(limits, (list, tuple)) else [str(limits)],
        "rest": [(key, value[:300]) for key, value in flat(card)[:80]],
    }


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or _is_number(value)


def _plain(value: Any) -> str:
    return _number(value) if _is_number(value) else str(value)


def _by_label(key: str, value: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return columns label -> number out of one mapping; empty if it is about something else."""
    found = {label: value[label] for label in labels if label in value}
    if found and all(_is_number(cell) for cell in found.values()):
        return {key: found}
    if found and all(isinstance(cell, Mapping) for cell in found.values()):
        names = dict.fromkeys(name for cell in found.values() for name, item in cell.items() if _is_number(item))
        return {str(name): {label: cell.get(name) for label, cell in found.items()} for name in names}
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
