"""How good tags are against a reader's: precision, recall, F1, calibration, confusions, each with its uncertainty."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

from policytext.errors import LabelError
from policytext.evaluate.agreement import agree
from policytext.intervals import codes, divide, shares, wilson

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
NONE = "(none)"
_EXAMPLES = 5  # ids named for each confusion


@dataclass(frozen=True)
class Units:
    """What is known of the scored passages, one entry each; what is left empty is not used."""

    ids: Sequence[str] = ()  # named in confusions; positions otherwise
    clusters: Sequence[str] = ()  # their documents: passages of one are not independent
    groups: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # script, region, genre, decade -> its values


@dataclass(frozen=True)
class ScoreOptions:
    """How scores are computed."""

    level: float = 0.95
    bins: int = 10  # of the calibration


@dataclass(frozen=True)
class Scores:
    """What `score` found. Tables are DataFrames; unknown is NaN there and None in `as_dict`."""

    passages: int
    documents: int
    macro_f1: float
    macro_low: float
    macro_high: float
    labels: pd.DataFrame  # label, support, predicted, correct; precision, recall, f1, alpha, each with _low, _high
    confusions: pd.DataFrame  # truth, predicted, passages, examples
    groups: pd.DataFrame  # group, value, passages, then the columns of `labels` but alpha
    calibration: pd.DataFrame  # label, ece, brier, and one row "all"; empty without probabilities
    reliability: pd.DataFrame  # label, bin, passages, predicted, observed, low, high
    options: ScoreOptions
    notes: tuple[str, ...] = ()  # what a reader of the scores has to know

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        tables = ("labels", "confusions", "groups", "calibration", "reliability")
        return {
            "passages": self.passages,
            "documents": self.documents,
            "macro_f1": _plain(self.macro_f1),
            "macro_f1_interval": [_plain(self.macro_low), _plain(self.macro_high)],
            "level": self.options.level,
            "notes": list(self.notes),
            **{name: _records(getattr(self, name)) for name in tables},
        }

    def as_table(self) -> str:
        """Return the scores of every label as text, a line each, macro F1 after them, and the notes."""
        columns = {
            "label": self.labels["label"].tolist(),
            "support": self.labels["support"].astype(str).tolist(),
            "precision": _ranges(self.labels, "precision"),
            "recall": _ranges(self.labels, "recall"),
            "F1": _ranges(self.labels, "f1"),
            "alpha": _ranges(self.labels, "alpha"),
        }
        macro = {"label": "macro", "F1": _range(self.macro_f1, self.macro_low, self.macro_high)}
        rows = [
            list(columns),
            *map(list, zip(*columns.values(), strict=True)),
            [macro.get(name, "") for name in columns],
        ]
        widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def score(
    truth: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    *,
    labels: Sequence[str] | None = None,
    probabilities: npt.ArrayLike | None = None,
    units: Units = Units(),
    options: ScoreOptions = ScoreOptions(),
) -> Scores:
    """Score predicted label sets against true ones, passage by passage.

    `labels` fixes which labels count and their order (default: all that occur); `probabilities` has shape (passages,
    labels), NaN where there is none. Precision, recall and F1 have Wilson intervals whose n is the effective one for
    passages nested in documents (`policytext.intervals`); so has macro F1, the mean over labels that occur in truth
    or prediction, its n from a jackknife over documents. Alpha compares prediction and truth as two readers would be
    (`agree`). The intervals are about passages like these, drawn as these were.

    Raises:
        LabelError: there is nothing to score, the lists differ in length, or a label is not among `labels`.

    >>> scores = score([{"a"}, {"a"}, set(), {"b"}], [{"a"}, set(), set(), {"b"}])
    >>> scores.labels[["label", "support", "precision", "recall"]]
      label  support  precision  recall
    0     a        2        1.0     0.5
    1     b        1        1.0     1.0
    >>> round(scores.macro_f1, 3)
    0.833
    """
    if not len(truth) and not len(predicted):
        raise LabelError("there is no passage to score; label some")
    names = _names(truth, predicted, labels)
    true, guess = _indicator(truth, names), _indicator(predicted, names)
    _check_lengths(len(truth), probabilities, units)
    clusters = np.asarray(units.clusters if len(units.clusters) else np.arange(len(truth)), dtype=object)
    document = codes(clusters)
    table = _label_table(true, guess, document, names, options)
    most = min(_added(table.pop("f1_n").to_numpy()), _together(true, guess, document, options.level))
    macro, low, high = _macro(true, guess, document, most, options.level)
    table = _with_alpha(table, truth, predicted, clusters, options)
    calibration, reliability = _calibration(true, probabilities, document, names, options)
    return Scores(
        passages=len(truth),
        documents=int(document.max(initial=-1)) + 1,
        macro_f1=macro,
        macro_low=low,
        macro_high=high,
        labels=table,
        confusions=_confusions(truth, predicted, units.ids),
        groups=_by_group(true, guess, document, names, units.groups, options),
        calibration=calibration,
        reliability=reliability,
        options=options,
    )


def _names(
    truth: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str] | None
) -> list[str]:
    if len(truth) != len(predicted):
        raise LabelError(f"{len(truth)} true and {len(predicted)} predicted label sets; give one of each a passage")
    if any(isinstance(one, str) for one in (*truth, *predicted)):
        raise LabelError("a label set is a plain string; give a set or list of labels for each passage")
    found = {label for sets in (truth, predicted) for one in sets for label in one}
    if labels is None:
        return sorted(found)
    unknown = found - set(labels)
    if unknown:
        raise LabelError(f'label "{min(unknown)}" is not among those scored: {", ".join(labels)}')
    return list(labels)


def _check_lengths(passages: int, probabilities: npt.ArrayLike | None, units: Units) -> None:
    columns = {"ids": units.ids, "clusters": units.clusters, **units.groups}
    for name, values in columns.items():
        if len(values) not in (0, passages):
            raise LabelError(f"{name} has {len(values)} entries for {passages} passages")
    if probabilities is not None and len(np.asarray(probabilities)) != passages:
        raise LabelError(f"{len(np.asarray(probabilities))} rows of probabilities for {passages} passages")


def _indicator(sets: Sequence[Collection[str]], names: Sequence[str]) -> Flags:
    """Return which passage has which label, shape (passages, labels)."""
    place = {name: i for i, name in enumerate(names)}
    table = np.zeros((len(sets), len(names)), bool)
    for i, one in enumerate(sets):
        for label in one:
            table[i, place[label]] = True
    return table


def _label_table(
    true: Flags, guess: Flags, document: npt.NDArray[np.int64], names: list[str], options: ScoreOptions
) -> pd.DataFrame:
    """Return one row a label: counts, precision, recall and F1 with intervals, and the effective n of F1.

    F1 is 2J / (1 + J) of Jaccard's J = hits / (true or predicted), a share of passages, so Wilson's interval of J
    makes one of F1. In simulations with 20 to 200 documents it covered 94 to 96 % where a percentile bootstrap over
    documents covered 85 to 95 %.
    """
    hits = true & guess
    counts = {"support": true.sum(axis=0), "predicted": guess.sum(axis=0), "correct": hits.sum(axis=0)}
    table = pd.DataFrame({"label": names, **counts})
    for measure, of in (("precision", guess), ("recall", true)):
        table[_triple(measure)] = _shares(hits, of, document, options.level)[:, :3]
    jaccard = _shares(hits, true | guess, document, options.level)
    table[[*_triple("f1"), "f1_n"]] = np.column_stack([2 * jaccard[:, :3] / (1 + jaccard[:, :3]), jaccard[:, 3]])
    return table


def _shares(hits: Flags, of: Flags, document: npt.NDArray[np.int64], level: float) -> Floats:
    """Return hits / of in each column, its interval over documents and its effective n, shape (columns, 4)."""
    row, column = np.nonzero(of)
    documents = int(document.max(initial=-1)) + 1
    pairs, unit = np.unique(column * documents + document[row], return_inverse=True)
    cell = pairs // max(documents, 1)
    correct = np.bincount(unit, weights=hits[row, column], minlength=len(pairs))
    result = shares(cell, correct, np.bincount(unit, minlength=len(pairs)), np.zeros(of.shape[1], int), level=level)
    return np.stack([result.share, result.low, result.high, result.effective_n], axis=1)


def _f1(hits: npt.NDArray[Any], guessed: npt.NDArray[Any], true: npt.NDArray[Any]) -> Floats:
    """Return 2 hits / (guessed + true); NaN where the label occurs in neither."""
    return divide(2 * hits, guessed + true)


def _macro(
    true: Flags, guess: Flags, document: npt.NDArray[np.int64], most: float, level: float
) -> tuple[float, float, float]:
    """Return the mean F1 over labels that occur, and its interval.

    Wilson's, with the n at which a share of that size would have the variance of the mean, found by leaving out one
    document at a time (the jackknife; Shao and Tu 1995, The Jackknife and Bootstrap), and Student's t. Where documents
    hardly differ that variance says too little, so n is at most `most`.
    """
    totals = np.zeros((int(document.max(initial=-1)) + 1, 3, true.shape[1]))
    np.add.at(totals, document, np.stack([true & guess, guess, true], axis=1).astype(float))
    whole = totals.sum(axis=0)
    macro = float(_nanmean(_f1(*whole)[None, :])[0])
    without = _nanmean(_f1(*np.moveaxis(whole - totals, 1, 0)))
    without = without[np.isfinite(without)]
    if len(without) < 2 or np.isnan(macro):
        return macro, float("nan"), float("nan")
    variance = (len(without) - 1) * float(without.var())
    factor = (float(ndtri((1 + level) / 2)) / float(stdtrit(len(without) - 1, (1 + level) / 2))) ** 2
    worth = factor * macro * (1 - macro) / variance if variance > 0 else most
    low, high = wilson(macro, min(worth, most), level=level)
    return macro, float(low), float(high)


def _added(n: Floats) -> float:
    """Return what the effective n of the labels add up to for their mean, were they independent."""
    return float(np.isfinite(n).sum() ** 2 / np.nansum(1 / n)) if np.isfinite(n).any() else float("nan")


def _together(true: Flags, guess: Flags, document: npt.NDArray[np.int64], level: float) -> float:
    """Return the effective n of all labels' decisions in one heap: the same documents stand behind each of them."""
    labels = true.shape[1]
    hits, of = ((x).reshape(-1, 1) for x in (true & guess, true | guess))
    return float(_shares(hits, of, np.repeat(document, labels), level)[0, 3])


def _with_alpha(
    table: pd.DataFrame,
    truth: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    clusters: Any,
    options: ScoreOptions,
) -> pd.DataFrame:
    found = agree(
        {"truth": truth, "predicted": predicted},
        labels=table["label"].tolist(),
        clusters=clusters,
        level=options.level,
    )
    return table.assign(alpha=found["alpha"], alpha_low=found["low"], alpha_high=found["high"])


def _confusions(
    truth: Sequence[Collection[str]], predicted: Sequence[Collection[str]], ids: Sequence[str]
) -> pd.DataFrame:
    """Return which label was missed and which was given instead, most frequent first.

    A label missed where nothing wrong was given stands against "(none)", and so does one given where none was missed.
    """
    counts: Counter[tuple[str, str]] = Counter()
    examples: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for i, (true, guess) in enumerate(zip(truth, predicted, strict=True)):
        missed, added = sorted(set(true) - set(guess)), sorted(set(guess) - set(true))
        if missed or added:
            for pair in ((m, a) for m in missed or [NONE] for a in added or [NONE]):
                counts[pair] += 1
                examples[pair].append(ids[i] if len(ids) else i)
    pairs = sorted(counts, key=lambda pair: (-counts[pair], pair))
    rows = [(*pair, counts[pair], sorted(examples[pair], key=str)[:_EXAMPLES]) for pair in pairs]
    return pd.DataFrame(rows, columns=["truth", "predicted", "passages", "examples"])


def _by_group(
    true: Flags,
    guess: Flags,
    document: npt.NDArray[np.int64],
    names: list[str],
    groups: Mapping[str, Sequence[Any]],
    options: ScoreOptions,
) -> pd.DataFrame:
    """Return the scores of every label within each value of each group."""
    tables = [pd.DataFrame(columns=["group", "value", "passages"])]
    for group, values in groups.items():
        named = pd.Series(list(values), dtype=object).map(lambda value: "unknown" if pd.isna(value) else str(value))
        for value in sorted(named.unique()):
            here = (named == value).to_numpy()
            table = _label_table(true[here], guess[here], document[here], names, options).drop(columns="f1_n")
            tables.append(table.assign(group=group, value=value, passages=int(here.sum())))
    whole = pd.concat(tables[1:] or tables, ignore_index=True)
    return whole[["group", "value", "passages", *(name for name in whole if name not in tables[0].columns)]]


def _calibration(
    true: Flags,
    probabilities: npt.ArrayLike | None,
    document: npt.NDArray[np.int64],
    names: list[str],
    options: ScoreOptions,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return calibration error by label and over all, and the bins behind them.

    ECE is the mean gap between predicted and observed share over equal-width bins, weighted by passages (Guo et al.
    2017, On calibration of modern neural networks); Brier's score is the mean squared gap of single passages.
    """
    summary, bins = [], []
    if probabilities is not None:
        given = np.asarray(probabilities, float)
        columns = [(name, given[:, i], true[:, i], document) for i, name in enumerate(names)]
        columns.append(("all", given.T.ravel(), true.T.ravel(), np.tile(document, len(names))))
        for name, probability, real, unit in columns:
            known = np.isfinite(probability)
            rows = _bins(probability[known], real[known], unit[known], options)
            gap = sum(row[1] * abs(row[2] - row[3]) for row in rows) / max(int(known.sum()), 1)
            brier = float(((probability - real)[known] ** 2).mean()) if known.any() else float("nan")
            summary.append((name, int(known.sum()), gap if known.any() else float("nan"), brier))
            bins += [(name, *row) for row in rows]
    return (
        pd.DataFrame(summary, columns=["label", "passages", "ece", "brier"]),
        pd.DataFrame(bins, columns=["label", "bin", "passages", "predicted", "observed", "low", "high"]),
    )


def _bins(
    probability: Floats, real: Flags, document: npt.NDArray[np.int64], options: ScoreOptions
) -> list[tuple[float, int, float, float, float, float]]:
    """Return lower edge, passages, mean predicted, observed and its interval of each filled bin."""
    place = np.minimum((probability * options.bins).astype(int), options.bins - 1)
    inside = place[:, None] == np.arange(options.bins)
    observed = _shares(inside & real[:, None], inside, document, options.level)
    mean = divide((inside * probability[:, None]).sum(axis=0), inside.sum(axis=0))
    filled = np.flatnonzero(inside.any(axis=0))
    return [
        (float(i / options.bins), int(inside[:, i].sum()), float(mean[i]), share, low, high)
        for i, (share, low, high) in zip(filled, observed[filled, :3].tolist(), strict=True)
    ]


def _nanmean(rows: Floats) -> Floats:
    known = np.isfinite(rows)
    return divide(np.where(known, rows, 0).sum(axis=1), known.sum(axis=1))


def _triple(name: str) -> list[str]:
    return [name, f"{name}_low", f"{name}_high"]


def _ranges(table: pd.DataFrame, name: str) -> list[str]:
    return [_range(*row) for row in table[_triple(name)].itertuples(index=False)]


def _range(value: float, low: float, high: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:.2f}" if np.isnan(low) else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(key): (_plain(value) if isinstance(value, float) else value) for key, value in row.items()}
        for row in table.to_dict("records")
    ]
