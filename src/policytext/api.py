"""The Python API: what the commands do, with DataFrames out. Import the names from `policytext` itself.

Names differ from those of the rooms (`policytext.tag`, `policytext.convert` ... are modules).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from policytext import convert, lines, views
from policytext.analysis import config_of
from policytext.codebook import load as load_codebook
from policytext.config import Config
from policytext.config import load as load_config
from policytext.errors import PolicyTextError, UsageError
from policytext.pipeline import run
from policytext.report.export import Format
from policytext.store import Store

if TYPE_CHECKING:
    from policytext.evaluate import Scores

__all__ = [
    "PolicyTextError",
    "evaluate_labels",
    "export_tables",
    "kwic",
    "load_codebook",
    "load_config",
    "open_store",
    "read",
    "run",
    "simplify",
    "split",
    "tag_texts",
    "train_classifier",
    "trend",
    "write_report",
]

ConfigLike = Config | Path | str | None


def read(*sources: Path | str, config: ConfigLike = None) -> pd.DataFrame:
    """Return what is read from files and folders: one row a document; skipped inputs have a reason in `skipped`."""
    return pd.DataFrame(list(lines.read(sources, _config(config))))


def simplify(text: str, *, variant: str = "auto") -> str:
    """Return a text in simplified Chinese; `variant` is auto, t2s, tw2s, tw2sp, tw2sg, hk2s, hk2sp or hk2sg.

    >>> simplify("資料庫與軟體", variant="tw2sp")
    '数据库与软件'
    """
    return convert.convert(text, variant).text


def split(text: str, *, config: ConfigLike = None) -> pd.DataFrame:
    """Return the passages of a text, one a row, with their words."""
    return pd.DataFrame(list(lines.split(text, _config(config))))


def tag_texts(texts: Iterable[str], *, config: ConfigLike = None) -> pd.DataFrame:
    """Judge each text as one passage.

    Returns one row a text, in order: labels (a list), a probability column per classifier-decided label, and evidence
    (dictionaries with label, term, start, end, quote, in the text's own script).
    """
    if isinstance(texts, str):
        raise UsageError("tag_texts takes a list of texts; for one text write [text]")
    texts = list(texts)
    wrong = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise UsageError(f"text {wrong} is {texts[wrong]!r}, not a string; leave it out, or give an empty one")
    rows = []
    for text, found in zip(texts, lines.tag_all(texts, _config(config)), strict=True):
        decided = [one for one in found["tags"] if one["method"] == "classifier"]
        probabilities = {one["label"]: one["probability"] for one in decided}
        rows.append({"text": text, "labels": found["labels"], **probabilities, "evidence": found["evidence"]})
    return pd.DataFrame(rows, columns=None if rows else ["text", "labels", "evidence"])


def train_classifier(
    labels: Path | str | Sequence[Path | str],
    model: Path | str,
    *,
    config: ConfigLike = None,
    shared: Path | None = None,
) -> dict[str, Any]:
    """Fit a classifier from files of labels by hand into the folder `model`; return its card."""
    from policytext import learning

    return learning.train(_paths(labels), _config(config), Path(model), shared=shared)


def evaluate_labels(
    labels: Path | str | Sequence[Path | str], *, config: ConfigLike = None, shared: Path | None = None
) -> Scores:
    """Score the tagger against files of labels by hand."""
    from policytext import learning

    return learning.evaluate_labels(_paths(labels), _config(config), shared=shared)


def open_store(out: Path | str) -> Store:
    """Open the store of an earlier `run` for reading; `.sql(query)` gives a DataFrame."""
    return Store.open(Path(out), create=False, read_only=True)


def trend(
    out: Path | str, *, by: str | Sequence[str] = (), period: str | None = None, config: ConfigLike = None
) -> pd.DataFrame:
    """Return shares over time with intervals clustered by document, one row a label, period and group.

    `out` is the folder of an earlier `run`; with no config, the one of that run holds.
    """
    with open_store(out) as store:
        settings = config_of(store, config)
        fields = (by,) if isinstance(by, str) else tuple(by)
        asked: dict[str, Any] = {"by": fields or settings.trends.by, "period": period or settings.trends.period}
        return views.trends(store, replace(settings, trends=replace(settings.trends, **asked)))


def kwic(out: Path | str, term: str, *, width: int = 20, regex: bool = False) -> pd.DataFrame:
    """Return every occurrence of a term (in simplified Chinese) with its context."""
    with open_store(out) as store:
        return views.kwic(store, term, width=width, regex=regex)


def write_report(out: Path | str, *, config: ConfigLike = None) -> Path:
    """Write report.html of a store anew and return its path; with no config, the one of the last run holds."""
    with open_store(out) as store:
        return views.write_report(store, config_of(store, config), Path(out) / "report.html")


def export_tables(out: Path | str, to: Path | str, *, form: Format = "csv", config: ConfigLike = None) -> list[Path]:
    """Write the store's tables as csv, xlsx or parquet; return the paths. With no config, the last run's holds."""
    with open_store(out) as store:
        return views.export(store, config_of(store, config), Path(to), form)


def _config(config: ConfigLike) -> Config:
    return config if isinstance(config, Config) else load_config(config)


def _paths(paths: Path | str | Sequence[Path | str]) -> list[Path]:
    return [Path(paths)] if isinstance(paths, Path | str) else [Path(path) for path in paths]
