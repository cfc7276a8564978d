"""Fit a classifier for any codebook from passages labelled by hand.

Kernel ridge regression (scikit-learn) over the sum of two kernels: the linear kernel of the TF-IDF rows of words and
n-grams, whose solution is one weight a word and n-gram, and a Gaussian kernel over pattern counts and word vectors,
whose solution is one weight a landmark. One Gram matrix serves all labels and all folds.

Everything that is chosen after fitting (calibration, thresholds, abstain bands, the gate's cut, the scores on the
card) rests on margins of documents that the model did not see: folds never share a document.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from policytext.errors import LabelError
from policytext.tag import kernel, second
from policytext.tag.classifier import Classifier, text_hashes
from policytext.tag.encoder import Encoder
from policytext.tag.features import FeatureConfig, Floats
from policytext.tag.judging import (
    Bools,
    Ints,
    abstain_bands,
    best_thresholds,
    by_label,
    calibrate,
    decided_by_others,
    f1_of,
    logistic,
    score_card,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainConfig:
    """How to fit. The numbers were chosen by cross-validation by document on the default codebook's labels."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    folds: int = 5
    seed: int = 2021
    ridge: float = 1.0  # added to the diagonal of the Gram matrix, whose own is 4
    vectors: str = "models/word_vectors"  # learnt from unlabelled texts; "" for none
    landmarks: int = 1000  # 1,500 or all 9,000 score no more than 0.003 higher, and cost as much more time
    width: float = 0.6  # of the Gaussian kernel, see `landmarks`
    pattern_relief: float = 0.6  # how much a deviation in a pattern count says beside one in a word vector
    dense_share: float = 2.0  # of the Gaussian kernel beside words and n-grams, which have 1 each
    gate_loss: float = 0.02  # of the passages decided yes, a label, that the gate may hold back
    gate_ridge: float = 1.0  # of the gate's weights
    max_abstained: float = 0.15  # of the passages, a label
    second_price: float = 0.2  # what reading every passage again for a label must bring it in F1, see `second.band`
    curve: tuple[float, ...] = (0.25, 0.5, 0.75)  # of the documents: the learning curve on the card; empty for none


@dataclass(frozen=True)
class TrainingSet:
    """Labelled passages after conversion and segmentation, one entry a passage in every field."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]  # simplified
    words: tuple[tuple[str, ...], ...]
    targets: Bools  # [passages x labels]
    groups: tuple[str, ...]  # document of each passage
    patterns: Floats | None = None  # [passages x counts]
    pattern_names: tuple[str, ...] = ()  # of the columns of `patterns`
    made: Bools | None = None  # passages written for training: learnt from, but no measure of anything
    logits: Floats | None = None  # [passages x labels], of an encoder fitted without the passage's document
    embedded: Floats | None = None  # [passages x dimensions], sentence embeddings

    def __post_init__(self) -> None:
        sizes = {len(self.texts), len(self.words), len(self.targets), len(self.groups)}
        if len(sizes) > 1 or not self.texts:
            raise LabelError("texts, words, targets and groups must be of one length, and not empty")
        if self.patterns is not None and self.patterns.shape != (len(self.texts), len(self.pattern_names)):
            raise LabelError("patterns must have one row a text and one column a name")

    def take(self, rows: Ints) -> TrainingSet:
        """Return the passages of these positions."""
        return replace(
            self,
            texts=tuple(self.texts[i] for i in rows),
            words=tuple(self.words[i] for i in rows),
            targets=self.targets[rows],
            groups=tuple(self.groups[i] for i in rows),
            patterns=None if self.patterns is None else self.patterns[rows],
            made=None if self.made is None else self.made[rows],
            logits=None if self.logits is None else self.logits[rows],
            embedded=None if self.embedded is None else self.embedded[rows],
        )

    def found(self) -> Ints:
        """Return positions of the passages that were found in texts, not made."""
        return np.arange(len(self.texts)) if self.made is None else np.flatnonzero(~self.made)

    def enough(self, config: TrainConfig) -> list[bool]:
        """Say of each label whether it can be learnt and measured; passages made for training do not count.

        Whatever fold is held out, the others must have passages with the label and without it.
        """
        found, fold = self.found(), assign_folds(self.groups, config.folds, config.seed)
        said = []
        for column in self.targets[found].T:
            documents = len({self.groups[i] for i in found[column]})
            spread = min(len(set(fold[found][column == applies].tolist())) for applies in (True, False))
            said.append(documents >= config.folds and spread >= 2)
        return said

    def sha256(self) -> str:
        """Return a hash over texts and labels, whatever their order."""
        rows = sorted(
            hashlib.sha256(f"{text}\x1f{''.join('01'[int(t)] for t in row)}".encode()).hexdigest()
            for text, row in zip(self.texts, self.targets, strict=True)
        )
        return hashlib.sha256("\n".join([*self.labels, *rows]).encode()).hexdigest()


@dataclass(frozen=True)
class Unlabelled:
    """Passages that nobody has read, prepared like a `TrainingSet`: the gate learns from them too."""

    texts: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    patterns: Floats | None = None
    embedded: Floats | None = None


def train(
    data: TrainingSet,
    config: TrainConfig | None = None,
    *,
    card: dict[str, Any] | None = None,
    encoder: Encoder | None = None,
    unlabelled: Unlabelled | None = None,
) -> Classifier:
    """Fit on all of `data`; calibrate, set thresholds and score on margins cross-fitted by document.

    Memory grows with the square of the passages: about 1.5 GB for 10,000. `card` adds facts that only the caller
    knows: who labelled, limits, what was left out. `encoder`, fitted on all of `data` elsewhere, gives the passages in
    doubt a second reading; how much its word counts is learnt from `data.logits`. `unlabelled` passages teach the gate
    what the model will say of passages like those that it is going to meet.

    Raises:
        LabelError: a label has too few passages or documents to be learnt; the message says which.
        ModelError: the word vectors were altered.
    """
    config = config or TrainConfig()
    fold = assign_folds(data.groups, config.folds, config.seed)
    _check_enough(data, config)
    views = kernel.views(data, config, unlabelled)
    unseen = _cross_fit(views, data, fold, config)
    judged = _judge(data, unseen, config, encoder)
    fitted = kernel.fit(views, data, np.arange(len(data.texts)), config)
    facts = {
        "data_sha256": data.sha256(),
        "passages": len(data.texts),
        "made": len(data.texts) - len(data.found()),
        "unlabelled": 0 if unlabelled is None else len(unlabelled.texts),
        "documents": len(set(data.groups)),
        "positives": dict(zip(data.labels, data.targets.sum(axis=0).tolist(), strict=True)),
        "config": asdict(config),
        **judged.facts(data, fold, config.max_abstained),
        "learning_curve": _learning_curve(views.gram, data, fold, config),
    }
    return Classifier(
        labels=data.labels,
        features=views.features,
        vectors=views.vectors,
        landmarks=views.landmarks,
        pattern_names=data.pattern_names,
        weights=fitted.weights.astype(np.float16),
        landmark_weights=fitted.landmark_weights.astype(np.float32),
        intercept=fitted.intercept,
        gate_weights=fitted.gate_weights.astype(np.float16),
        gate_intercept=fitted.gate_intercept,
        trained_on=text_hashes(data.texts),
        **judged.fields(),
        card=json.loads(json.dumps(facts | (card or {}))),
    )


def _cross_fit(views: kernel.Views, data: TrainingSet, fold: Ints, config: TrainConfig) -> _Unseen:
    """Return margins of models and gates that did not see the passage's document, float32 [passages x labels]."""
    margins, gate = np.zeros((2, *data.targets.shape), np.float32)
    for k in range(config.folds):
        seen, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        fitted = kernel.fit(views, data, seen, config)
        margins[held] = views.gram[np.ix_(held, seen)] @ fitted.dual + fitted.intercept
        gate[held] = views.rows[held][:, : views.words] @ fitted.gate_weights + fitted.gate_intercept
        log.info("cross-fitting: %d of %d folds", k + 1, config.folds)
    return _Unseen(margins, gate, fold)


@dataclass(frozen=True)
class _Judged:
    """What margins of unseen documents say: calibration, thresholds, bands, and the gate's cut."""

    probabilities: Floats  # of the passages that were found, not made
    slope: Floats
    offset: Floats
    threshold: Floats
    low: Floats
    high: Floats
    gate_slope: Floats
    gate_offset: Floats
    gate_cut: Floats
    second: second.SecondReading | None
    shares: dict[str, float]  # of the passages that pass the gate, and that are read again

    def fields(self) -> dict[str, Any]:
        """Return what the classifier keeps."""
        return {name: value for name, value in vars(self).items() if name not in ("probabilities", "shares")}

    def facts(self, data: TrainingSet, fold: Ints, max_abstained: float) -> dict[str, Any]:
        """Return what the card says of them."""
        found = data.found()
        bands = zip(data.labels, self.low, self.high, strict=True)
        return {
            "thresholds": by_label(data.labels, self.threshold),
            "abstain": {label: [round(float(a), 4), round(float(b), 4)] for label, a, b in bands},
            **{name: round(share, 4) for name, share in self.shares.items()},
            "cross_validation": score_card(
                data.labels, data.targets[found], self.probabilities, fold[found], max_abstained
            ),
        }


@dataclass(frozen=True)
class _Unseen:
    """Margins of models that did not see the passage's document, and the fold that it lay in."""

    margins: Floats
    gate: Floats
    fold: Ints


def _judge(data: TrainingSet, unseen: _Unseen, config: TrainConfig, encoder: Encoder | None) -> _Judged:
    found = data.found()
    margins, gate, targets, fold = unseen.margins[found], unseen.gate[found], data.targets[found], unseen.fold[found]
    slope, offset = calibrate(margins, targets)
    probabilities = logistic(margins * slope + offset)
    shares = {}
    again = None
    if encoder is not None and data.logits is not None:
        again, probabilities, shares["second_asked"] = _read_again(
            encoder, (margins, data.logits[found]), targets, probabilities, fold, config.second_price
        )
    chosen = probabilities >= best_thresholds(probabilities, targets)
    gate_slope, gate_offset = calibrate(gate, targets)
    probabilities = _behind_gate(
        gate, logistic(gate * gate_slope + gate_offset), probabilities, chosen, fold, config.gate_loss
    )
    threshold = best_thresholds(probabilities, targets)
    low, high = abstain_bands(probabilities, targets, threshold, config.max_abstained)
    cut = _gate_cut(gate, chosen, config.gate_loss)
    shares["gate_open"] = float((gate >= cut).any(axis=1).mean())
    return _Judged(probabilities, slope, offset, threshold, low, high, gate_slope, gate_offset, cut, again, shares)


def _gate_cut(gate: Floats, chosen: Bools, loss: float) -> Floats:
    """Return the gate's margin a label below which a share `loss` of the passages decided yes lie."""
    columns = zip(gate.T, chosen.T, strict=True)
    return np.array([np.quantile(column[yes], loss) if yes.any() else np.inf for column, yes in columns], np.float32)


def _behind_gate(gate: Floats, seen: Floats, probabilities: Floats, chosen: Bools, fold: Ints, loss: float) -> Floats:
    """Return probabilities as in a run: those that the gate has `seen` where it stays shut, by cuts of other folds."""
    result = probabilities.copy()
    for k in np.unique(fold):
        held, others = np.flatnonzero(fold == k), np.flatnonzero(fold != k)
        shut = held[(gate[held] < _gate_cut(gate[others], chosen[others], loss)).all(axis=1)]
        result[shut] = seen[shut]
    return result


def _read_again(
    encoder: Encoder, heard: tuple[Floats, Floats], targets: Bools, first: Floats, fold: Ints, price: float
) -> tuple[second.SecondReading, Floats, float]:
    """Return the second reading, probabilities with it, and the share of passages that it is asked for.

    `heard` are the margins and the log-odds. The probabilities, which thresholds and scores rest on, come from weights
    and bands of the other folds.
    """
    margins, logits = heard

    def fitted(rows: Ints) -> second.SecondReading:
        found = second.fit(encoder, margins[rows], logits[rows], targets[rows])
        both = found.joined(margins[rows], logits[rows])
        low, high = second.band(first[rows], both, targets[rows], best_thresholds(both, targets[rows]), price)
        return replace(found, low=low, high=high)

    result = first.copy()
    for k in np.unique(fold):
        held, again = np.flatnonzero(fold == k), fitted(np.flatnonzero(fold != k))
        asked = held[second.doubtful(first[held], again.low, again.high)]
        result[asked] = again.joined(margins[asked], logits[asked])
    whole = fitted(np.arange(len(fold)))
    return whole, result, float(second.doubtful(first, whole.low, whole.high).mean())


def _learning_curve(gram: Floats, data: TrainingSet, fold: Ints, config: TrainConfig) -> dict[str, float]:
    """Return the kernel machine's cross-validated macro F1 when it learns from a share of the documents.

    Where the last step still rises, more labels are worth their time.
    """
    found = data.found()
    draw = np.array([_share_of(group, config.seed) for group in data.groups])
    curve = {}
    for share in (*config.curve, 1.0) if config.curve else ():
        if min(int(((fold != k) & (draw < share)).sum()) for k in range(config.folds)) < 10:
            continue  # too few passages to learn anything from
        margins = np.zeros(data.targets.shape, np.float32)
        for k in range(config.folds):
            seen, held = np.flatnonzero((fold != k) & (draw < share)), np.flatnonzero(fold == k)
            dual, mean = kernel.solve(gram[np.ix_(seen, seen)], data.targets[seen], config.ridge)
            margins[held] = gram[np.ix_(held, seen)] @ dual + mean
        decided = decided_by_others(margins[found], data.targets[found], fold[found])
        scores = [f1_of(t, d) for t, d in zip(data.targets[found].T, decided.T, strict=True)]
        curve[f"{share:g}"] = round(float(np.mean(scores)), 4)
    return curve


def _share_of(group: str, seed: int) -> float:
    """Return a number in [0, 1) that hangs on the document's name alone."""
    return int.from_bytes(hashlib.sha256(f"curve {seed}\x1f{group}".encode()).digest()[:4], "big") / 2**32


def _check_enough(data: TrainingSet, config: TrainConfig) -> None:
    for label, enough, column in zip(data.labels, data.enough(config), data.targets.T, strict=True):
        if not enough:
            documents = len({data.groups[i] for i in data.found() if column[i]})
            raise LabelError(
                f'label "{label}" applies to passages of {documents} documents; at least {config.folds} are needed '
                "with, and some passages without it: label more"
            )


def assign_folds(groups: Sequence[str], folds: int, seed: int) -> Ints:
    """Spread documents over folds by a hash of their name: no order of input changes it."""
    key = [hashlib.sha256(f"{seed}\x1f{group}".encode()).digest() for group in groups]
    return np.array([int.from_bytes(digest[:8], "big") % folds for digest in key], dtype=np.int64)
