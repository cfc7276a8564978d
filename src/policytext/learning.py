"""From labels by hand to a classifier, and from a classifier to scores."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from policytext import convert, engine, evaluate, labels, robustness, tag
from policytext.codebook import Codebook
from policytext.codebook import load as load_codebook
from policytext.config import Config
from policytext.errors import LabelError, ModelError
from policytext.labels import LabelledPassage
from policytext.records import Passage
from policytext.tag.patterns import Patterns

if TYPE_CHECKING:
    from policytext.evaluate import Scores


def read_labels(
    paths: Iterable[Path | str], codebook: Codebook, *, shared: Path | None = None, missing: str = "error"
) -> list[LabelledPassage]:
    """Read label files and make sure that every label is in the codebook.

    Raises:
        LabelError: a line is malformed, a referenced text is missing, or a label is unknown.
    """
    rows = [(path, row) for path in paths for row in labels.read(path, shared=shared, missing=missing)]
    known = codebook.ids()
    for path, row in rows:
        wrong = [label for label in row.labels if label not in known]
        if wrong:
            near = difflib.get_close_matches(wrong[0], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known)}"
            raise LabelError(f'{path}: passage {row.id}: label "{wrong[0]}" is not in codebook {codebook.id}; {hint}')
    return [row for _, row in rows]


def passages(rows: Sequence[LabelledPassage], config: Config) -> list[Passage]:
    """Return labelled passages converted and cut into words, in order; `doc_id` is the position."""
    segmenter = engine.build(replace(config, tag=replace(config.tag, model=None, embeddings=None))).segmenter
    texts = [convert.convert(row.text, config.convert.variant).text for row in rows]
    return [
        Passage(str(i), 0, 0, len(text), "body", "", text, tuple(segmenter.cut(text))) for i, text in enumerate(texts)
    ]


def training_set(
    rows: Sequence[LabelledPassage], config: Config, codebook: Codebook, embedder: tag.Embedder | None = None
) -> tag.TrainingSet:
    """Return what a classifier of the codebook's classifier-decided labels is fitted on."""
    names = codebook.ids("classifier")
    ready = passages(rows, config)
    texts = tuple(passage.text for passage in ready)
    patterns = Patterns(codebook)
    return tag.TrainingSet(
        labels=names,
        texts=texts,
        words=tuple(passage.words for passage in ready),
        targets=np.array(labels.matrix(rows, names), dtype=bool),
        groups=_groups(rows, texts),
        patterns=patterns.matrix(texts),
        pattern_names=patterns.names,
        made=np.array([row.made for row in rows], dtype=bool),
        embedded=None if embedder is None else embedder.vectors(texts),
    )


def _groups(rows: Sequence[LabelledPassage], texts: Sequence[str]) -> tuple[str, ...]:
    """Return the document of each passage; documents that share a text are one, so that no copy judges its twin.

    Each takes the smallest name of those it hangs together with (union-find).
    """
    parent = {row.group: row.group for row in rows}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    first: dict[str, str] = {}
    for row, text in zip(rows, texts, strict=True):
        one, other = sorted((root(row.group), root(first.setdefault("".join(text.split()), row.group))))
        parent[other] = one
    return tuple(root(row.group) for row in rows)


def remarks(rows: Sequence[LabelledPassage], texts: Sequence[str]) -> list[str]:
    """Return what a reader of scores on these passages has to know: no documents named, texts twice, contradictions."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for row, text in zip(rows, texts, strict=True):
        found.setdefault("".join(text.split()), set()).add(tuple(sorted(row.labels)))
    twice, against = len(rows) - len(found), sum(len(labels) > 1 for labels in found.values())
    notes = []
    if all(row.group == f"{row.source}/{row.id}" for row in rows):
        notes.append(
            'no passage names its document, so each counts as one: add a key "doc" where documents hold several, or '
            "scores and intervals are too good"
        )
    if twice:
        notes.append(f"{twice} passages repeat the text of another; texts that share one count as one document")
    if against:
        notes.append(f"{against} texts have different labels at different places; read them again")
    return notes


def train(paths: Sequence[Path | str], config: Config, model: Path, *, shared: Path | None = None) -> dict[str, Any]:
    """Fit a classifier from label files into the folder `model`; return its card.

    Raises:
        LabelError: labels are malformed, unknown, or too few to learn from.
        ModelError: the folder cannot be written, or holds what this must not write over.
    """
    codebook = load_codebook(config.resolve(config.tag.codebook))
    if not codebook.ids("classifier"):
        raise LabelError(f'codebook {codebook.id}: no dimension is decided_by = "classifier"; nothing to learn')
    _check_place(model)
    rows = read_labels(paths, codebook, shared=shared)
    if not rows:
        raise LabelError("the label files are empty; label some passages")
    embedder = engine.embedder(config)
    data, left = _learnable(training_set(rows, config, codebook, embedder))
    notes = remarks(rows, data.texts)
    if left:
        notes.append(f"too few documents to learn {', '.join(left)}: their terms decide; label more")
    card = {
        "codebook": {"id": codebook.id, "version": codebook.version, "sha256": codebook.sha256()},
        "labelled_by": "readers: " + (", ".join(sorted({row.reader for row in rows if row.reader})) or "not named"),
        "embeddings": None if embedder is None else {"folder": embedder.folder.name, "sha256": embedder.sha256},
        "notes": notes,
    }
    fitted = tag.train(data, card=card)
    fitted.save(model)
    return fitted.card


def _learnable(data: tag.TrainingSet) -> tuple[tag.TrainingSet, list[str]]:
    """Leave out the labels of too few documents, and name them; none is left out if none would remain."""
    enough = data.enough(tag.TrainConfig())
    if all(enough) or not any(enough):
        return data, []
    columns = np.flatnonzero(enough)
    kept = replace(data, labels=tuple(data.labels[i] for i in columns), targets=data.targets[:, columns])
    return kept, [label for label, is_enough in zip(data.labels, enough, strict=True) if not is_enough]


def _check_place(model: Path) -> None:
    """Refuse a place before the work, not after it; leave nothing there."""
    new = not model.exists()
    try:
        model.mkdir(parents=True, exist_ok=True)
        if new:
            model.rmdir()
    except OSError as error:
        raise ModelError(f"{model}: cannot be a folder for a model: {error.strerror}; give another --model") from error
    if not (model / "card.json").exists():
        return
    try:
        card = json.loads((model / "card.json").read_text(encoding="utf-8"))
        encoder = card["cross_validation"] and card.get("encoder")
    except (OSError, ValueError, KeyError, TypeError):
        raise ModelError(f"{model / 'card.json'}: no card of a model; choose another folder with --model") from None
    if encoder:
        raise ModelError(
            f"{model}: holds a model with an encoder, which this command cannot fit; choose another folder with --model"
        )


def card_table(card: dict[str, Any]) -> str:
    """Return a model card's cross-validated scores as text: a line a label, then the learning curve.

    >>> scores = {"macro_f1": 0.8, "f1": {"a": 0.8}, "expected_calibration_error": {"a": 0.01}}
    >>> curve = {"0.5": 0.7, "1": 0.8}
    >>> print(card_table({"cross_validation": scores, "positives": {"a": 40}, "learning_curve": curve}))
    label  passages  F1    calibration error
    a      40        0.80  0.010
    macro            0.80
    macro F1 when learning from a share of the documents: 0.5: 0.70, 1: 0.80
    """
    scores = card["cross_validation"]
    rows = [("label", "passages", "F1", "calibration error")]
    for label, f1 in scores["f1"].items():
        error = scores["expected_calibration_error"][label]
        rows.append((label, str(card["positives"][label]), f"{f1:.2f}", f"{error:.3f}"))
    rows.append(("macro", "", f"{scores['macro_f1']:.2f}", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    notes = [f"note: {note}" for note in card.get("notes", ())]
    curve = ", ".join(f"{share}: {f1:.2f}" for share, f1 in card["learning_curve"].items())
    learnt = [f"macro F1 when learning from a share of the documents: {curve}"] if curve else []
    return "\n".join([*lines, *learnt, *notes])


def dependence(paths: Sequence[Path | str], config: Config, *, shared: Path | None = None) -> robustness.Dependence:
    """Return how many tags of labelled passages would change if an ambiguous conversion had been read otherwise."""
    codebook = load_codebook(config.resolve(config.tag.codebook))
    return robustness.dependence(read_labels(paths, codebook, shared=shared), config)


def evaluate_labels(paths: Sequence[Path | str], config: Config, *, shared: Path | None = None) -> Scores:
    """Score the config's tagger on label files: per label, with intervals clustered by document.

    Breakdowns are by script, region, genre and decade where the labels say them. Passages made for training are left
    out; that some were trained on is a note.

    Raises:
        LabelError: the labels are malformed, or there are none.
    """
    rooms = engine.rooms(config)
    given = read_labels(paths, rooms.codebook, shared=shared)
    rows = [row for row in given if not row.made]
    if not rows:
        raise LabelError("no passage to score: the label files are empty, or all passages were made for training")
    names = _scored(rows, rooms.codebook)
    ready = passages(rows, config)
    found: list[set[str]] = [set() for _ in rows]
    probabilities = [[float("nan")] * len(names) for _ in rows]
    for one in rooms.tagger.tag(ready):
        if one.label in names:
            if one.decision == "yes":
                found[int(one.doc_id)].add(one.label)
            if one.probability is not None:
                probabilities[int(one.doc_id)][names.index(one.label)] = one.probability
    groups = {name: [getattr(row, name) or None for row in rows] for name in ("script", "region", "genre", "decade")}
    scores = evaluate.score(
        [set(row.labels) & set(names) for row in rows],
        found,
        labels=names,
        probabilities=probabilities,
        units=evaluate.Units([row.id for row in rows], _groups(rows, [one.text for one in ready]), groups),
    )
    about = _about(rooms.tagger, ready, len(given) - len(rows))
    return replace(scores, notes=(*about, *remarks(rows, [one.text for one in ready])))


def _scored(rows: Sequence[LabelledPassage], codebook: Codebook) -> tuple[str, ...]:
    """Return the labels to score: those of the dimensions that a classifier decides or that a reader used."""
    learnt = codebook.ids("classifier")
    used = {label.partition(".")[0] for label in (*learnt, *(label for row in rows for label in row.labels))}
    chosen = tuple(label for label in codebook.ids() if label in learnt or label.partition(".")[0] in used)
    return chosen if learnt else codebook.ids()


def _about(tagger: tag.Tagger, ready: Sequence[Passage], made: int) -> Iterator[str]:
    if made:
        yield f"passages made for training, which are not scored: {made}"
    known = 0 if tagger.classifier is None else int(tagger.classifier.knows([one.text for one in ready]).sum())
    if known:
        yield (
            f"the classifier was trained on {known} of these {len(ready)} passages, so the scores are too good; score "
            "it on others, or read the cross-validated scores on its card"
        )
