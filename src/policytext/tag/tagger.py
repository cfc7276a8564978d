"""Judge passages: the classifier decides its labels, the codebook's terms decide the others; both say why.

>>> from policytext.codebook import Codebook, Dimension, Label
>>> label = Label("facet.value", "价值", "value", "", "", terms=("公民为中心",))
>>> codebook = Codebook("c", "1", "c", "c", (Dimension("facet", "方面", "facet"),), (label,))
>>> tagger = Tagger(codebook, None, TagConfig())
>>> [(tag.label, tag.start, tag.end) for tag in tagger.tag([Passage("d", 0, 10, 18, "body", "", "以公民为中心的。")])]
[('facet.value', 11, 16)]
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from policytext.codebook import Codebook
from policytext.config import TagConfig
from policytext.errors import ModelError
from policytext.records import CODED_KINDS, Decision, Passage, Tag
from policytext.tag.classifier import Classifier, Judged
from policytext.tag.embeddings import Embedder
from policytext.tag.encoder import Reading
from policytext.tag.features import Floats
from policytext.tag.lexicon import Hits, Lexicon
from policytext.tag.patterns import Patterns

INSTRUMENT = 2  # raise it when the code here decides differently with the same codebook and model
SPANS = 5  # of classifier evidence a label and passage
LEAST = 0.25  # of the best word's gain; what adds less to the margin is no reason

_DECISIONS = pa.array(["no", "yes", "abstain"])  # a verdict of -1 is abstain


@dataclass(frozen=True)
class Evidence:
    """Why a label applies: a term or pattern of the codebook, or the words that weigh most.

    The span is on the document's ruler.
    """

    label: str
    method: str  # lexicon, pattern, classifier
    term: str
    start: int
    end: int


@dataclass(frozen=True)
class TagColumns:
    """Tags and evidence as columns, one entry a row of the store's tables of the same names."""

    tags: dict[str, Any]
    evidence: dict[str, Any]


class Tagger:
    """A codebook and a classifier, ready to judge passages of simplified text.

    Labels of dimensions that a classifier decides are left to their terms when there is no classifier, or when it was
    trained before the label was added.
    """

    def __init__(
        self,
        codebook: Codebook,
        classifier: Classifier | None,
        config: TagConfig,
        embedder: Embedder | None = None,
    ) -> None:
        self.codebook = codebook
        self.classifier = classifier
        self.embedder = embedder
        self.config = config
        known = () if classifier is None else classifier.labels
        for label in known:
            if label not in codebook.ids():
                raise ModelError(
                    f'the model was trained for a label "{label}" that codebook {codebook.id} does not have; '
                    "train one for this codebook, or set [tag] model in the config"
                )
        self.decided = tuple(label for label in codebook.ids("classifier") if label in known)
        self._columns = np.array([known.index(label) for label in self.decided], dtype=np.int64)
        self._lexicon = Lexicon(codebook)
        self._patterns = Patterns(codebook)
        self._check_embedder()

    def _check_embedder(self) -> None:
        wanted = "" if self.classifier is None else self.classifier.embeddings
        if wanted and (self.embedder is None or self.embedder.sha256 != wanted):
            raise ModelError(
                "the model was trained with the vectors of another sentence-embedding model than "
                f"{self.embedder.folder if self.embedder else '[tag] embeddings, which is not set,'} holds; "
                "name that one, or train again"
            )

    def remarks(self) -> list[str]:
        """Return what a reader of the tags has to know of how model and codebook fit."""
        if self.classifier is None or not self.classifier.pattern_names:
            return []
        gone, new = self.classifier.unknown(self._patterns.names)
        if not gone and not new:
            return []
        counted = f"{len(gone)} gone, {len(new)} new, such as {(new or gone)[0]}"
        note = f"the codebook's groups and relations changed after the model was trained ({counted}); "
        return [note + "only those that the model knows are weighed until you train again"]

    def instrument(self) -> str:
        """Return 16 hex digits over everything that can change a tag."""
        parts = {
            "instrument": INSTRUMENT,
            "codebook": self.codebook.sha256(),
            "model": None if self.classifier is None else self.classifier.sha256(),
            "abstain": self.config.abstain,
            "embeddings": "" if self.classifier is None else self.classifier.embeddings,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def card(self) -> dict[str, Any] | None:
        """Return what the classifier was learnt from and how good it is; None without a classifier."""
        return None if self.classifier is None else dict(self.classifier.card)

    def tag(self, passages: Sequence[Passage]) -> list[Tag]:
        """Return one tag a coded passage and classifier's label, and one for each term found of the other labels."""
        columns = self._judge(passages, explain=False).tags
        rows = zip(*(_plain(columns[name]) for name in _TAG_COLUMNS), strict=True)
        return [Tag(*row) for row in rows]

    def evidence(self, passage: Passage) -> list[Evidence]:
        """Return why the passage has the labels it has, in order of position; empty for kinds that are not coded."""
        return self.explained([passage])[0][1]

    def explained(self, passages: Sequence[Passage]) -> list[tuple[list[Tag], list[Evidence]]]:
        """Return tags and evidence of each passage, as `tag` and `evidence` do, from one look at all of them."""
        found = self.columns(passages)
        place = {(passage.doc_id, passage.n): i for i, passage in enumerate(passages)}
        result: list[tuple[list[Tag], list[Evidence]]] = [([], []) for _ in passages]
        for row in zip(*(_plain(found.tags[name]) for name in _TAG_COLUMNS), strict=True):
            result[place[row[:2]]][0].append(Tag(*row))
        for row in zip(*(_plain(found.evidence[name]) for name in _EVIDENCE_COLUMNS), strict=True):
            result[place[row[:2]]][1].append(Evidence(*row[2:]))
        for _, evidence in result:
            evidence.sort(key=lambda hit: (hit.start, hit.end, hit.label, hit.method))
        return result

    def columns(self, passages: Sequence[Passage]) -> TagColumns:
        """Return tags and evidence of many passages as columns: the same as `tag` and `evidence`, for the stream."""
        return self._judge(passages, explain=True)

    def _judged(self, passages: Sequence[Passage], *, explain: bool) -> Judged:
        """Return the classifier's probabilities, of all its labels in its own order, and its readings."""
        if self.classifier is None:
            return Judged(np.zeros((len(passages), 0), np.float32), {})
        texts = [passage.text for passage in passages]
        classifier, patterns = self.classifier, self._patterns

        def count(texts: list[str]) -> Floats:
            return classifier.aligned(patterns.matrix(texts), patterns.names)

        words = [passage.words for passage in passages]
        embed = None if self.embedder is None else self.embedder.vectors
        return classifier.judge(texts, words, count, embed, explain=explain)

    def _judge(self, passages: Sequence[Passage], *, explain: bool) -> TagColumns:
        coded = [passage for passage in passages if passage.kind in CODED_KINDS]
        judged = self._judged(coded, explain=explain)
        probabilities = judged.probabilities[:, self._columns]
        verdict = self._verdict(probabilities)
        only_evidence = self._lexicon.patterned <= set(self.decided)  # then patterns matter where a label was decided
        tried = np.flatnonzero((verdict == 1).any(axis=1)).astype(np.int32) if only_evidence else None
        texts, words = [passage.text for passage in coded], [passage.words for passage in coded]
        hits = self._lexicon.find_many(texts, words, tried)
        by_terms = np.array([label not in self.decided for label in hits.labels], dtype=bool)
        tags = _classifier_tags(coded, self.decided, probabilities, verdict)
        tags = _joined(tags, _lexicon_tags(coded, hits, by_terms[hits.label]))
        if not explain:
            return TagColumns(tags, {})
        evidence = _arrow(_term_evidence(coded, hits, self._counts(hits, verdict, by_terms), "lexicon"))
        if self.classifier is not None:
            evidence = _joined(evidence, self._patterns_found(coded, verdict))
            evidence = _joined(evidence, self._reasons(self.classifier, coded, verdict, judged.readings))
        return TagColumns(tags, evidence)

    def _verdict(self, probabilities: Floats) -> NDArray[np.int8]:
        if self.classifier is None or not self.decided:
            return np.zeros(probabilities.shape, np.int8)
        whole = np.zeros((len(probabilities), len(self.classifier.labels)), np.float32)
        whole[:, self._columns] = probabilities
        return self.classifier.decisions(whole, abstain=self.config.abstain)[:, self._columns]

    def _counts(self, hits: Hits, verdict: NDArray[np.int8], by_terms: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say which hits are evidence: all of labels that terms decide, and those that agree with the classifier."""
        return self._agrees(hits, verdict) | by_terms[hits.label]

    def _agrees(self, hits: Hits, verdict: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Say which hits are of a label that the classifier decided yes for their passage."""
        place = np.array([self.decided.index(label) if label in self.decided else -1 for label in hits.labels])
        agrees = np.zeros(len(hits), dtype=bool)
        asked = np.flatnonzero(place[hits.label] >= 0)
        agrees[asked] = verdict[hits.text[asked], place[hits.label[asked]]] == 1
        return agrees

    def _patterns_found(self, coded: Sequence[Passage], verdict: NDArray[np.int8]) -> dict[str, Any]:
        """Return the codebook's patterns that speak for each label that the classifier decided."""
        rows = np.flatnonzero((verdict == 1).any(axis=1))
        chosen = [coded[i] for i in rows.tolist()]
        hits = self._patterns.evidence([passage.text for passage in chosen])
        return _term_evidence(chosen, hits, self._agrees(hits, verdict[rows]), "pattern")

    def _reasons(
        self,
        classifier: Classifier,
        coded: Sequence[Passage],
        verdict: NDArray[np.int8],
        readings: dict[int, Reading],
    ) -> dict[str, Any]:
        """Return the words that weigh most for each label that the classifier decided, in both readings together."""
        columns: dict[str, list[Any]] = {name: [] for name in _EVIDENCE_COLUMNS}
        rows = np.flatnonzero((verdict == 1).any(axis=1))
        chosen = [coded[i] for i in rows.tolist()]
        weighed = classifier.features.matrix([p.text for p in chosen], [p.words for p in chosen])
        for line, (passage, row) in enumerate(zip(chosen, rows.tolist(), strict=True)):
            for at in np.flatnonzero(verdict[row] == 1):
                column = int(self._columns[at])
                found = _gains(classifier, weighed, line, column, readings.get(row))
                for start, end in _best_spans(passage.text, *found):
                    values = (passage.doc_id, passage.n, self.decided[at], "classifier", passage.text[start:end])
                    for name, value in zip(_EVIDENCE_COLUMNS, values, strict=False):
                        columns[name].append(value)
                    columns["start"].append(passage.start + start)
                    columns["end"].append(passage.start + end)
        return columns


_TAG_COLUMNS = ("doc_id", "n", "label", "method", "probability", "decision", "start", "end", "note")
_EVIDENCE_COLUMNS = ("doc_id", "n", "label", "method", "term", "start", "end")


_NUMBERS = {"n": pa.int32(), "start": pa.int32(), "end": pa.int32(), "probability": pa.float64()}


def _plain(column: Any) -> list[Any]:
    return cast("list[Any]", column.to_pylist())


def _arrow(columns: dict[str, Any]) -> dict[str, pa.Array]:
    """Return columns as Arrow arrays of the store's types: millions of rows never become Python objects."""
    return {
        name: column if isinstance(column, pa.Array) else pa.array(column, _NUMBERS.get(name, pa.string()))
        for name, column in columns.items()
    }


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, pa.Array]:
    one, other = _arrow(first), _arrow(second)
    return {name: pa.concat_arrays([one[name], other[name]]) for name in one}


def _classifier_tags(
    coded: Sequence[Passage], labels: Sequence[str], probabilities: Floats, verdict: NDArray[np.int8]
) -> dict[str, Any]:
    """One row a passage and label, passage by passage."""
    size = len(coded) * len(labels)
    owner = np.repeat(np.arange(len(coded)), len(labels))
    which = np.tile(np.arange(len(labels)), len(coded))
    return {
        "doc_id": pa.array([passage.doc_id for passage in coded], pa.string()).take(pa.array(owner)),
        "n": np.array([passage.n for passage in coded], np.int32)[owner],
        "label": pa.array(labels, pa.string()).take(pa.array(which)),
        "method": pa.repeat("classifier", size),
        "probability": np.round(probabilities.ravel().astype(np.float64), 4),
        "decision": _DECISIONS.take(pa.array(verdict.ravel() % len(_DECISIONS))),
        "start": np.array([passage.start for passage in coded], np.int32)[owner],
        "end": np.array([passage.end for passage in coded], np.int32)[owner],
        "note": pa.repeat("", size),
    }


def _lexicon_tags(coded: Sequence[Passage], hits: Hits, wanted: NDArray[np.bool_]) -> dict[str, Any]:
    """One row a term found, of the labels that terms decide."""
    found = _term_evidence(coded, hits, wanted, "lexicon")
    size = len(found["n"])
    yes: Decision = "yes"
    return {
        **{name: found[name] for name in ("doc_id", "n", "label", "method")},
        "probability": [None] * size,
        "decision": [yes] * size,
        "start": found["start"],
        "end": found["end"],
        "note": found["term"],
    }


def _term_evidence(coded: Sequence[Passage], hits: Hits, wanted: NDArray[np.bool_], method: str) -> dict[str, Any]:
    rows = np.flatnonzero(wanted)
    owners = [coded[i] for i in hits.text[rows].tolist()]
    shift = np.fromiter((passage.start for passage in owners), np.int64, len(owners))
    return {
        "doc_id": [passage.doc_id for passage in owners],
        "n": [passage.n for passage in owners],
        "label": [hits.labels[i] for i in hits.label[rows].tolist()],
        "method": [method] * len(owners),
        "term": [hits.terms[i] for i in hits.term[rows].tolist()],
        "start": hits.start[rows] + shift,
        "end": hits.end[rows] + shift,
    }


def _gains(
    classifier: Classifier, weighed: csr_matrix, line: int, column: int, reading: Reading | None
) -> tuple[Floats, Callable[[int], str | tuple[int, int]]]:
    """Return how much each feature of a passage adds to a label's log-odds, and what names a feature.

    A name is a term or, of what the second reading saw, a span; there both readings weigh as in the verdict. What
    landmarks add belongs to no word and is not among the gains.
    """
    part = slice(weighed.indptr[line], weighed.indptr[line + 1])
    indices = weighed.indices[part]
    gains: Floats = weighed.data[part] * classifier.weights[indices, column]
    if reading is not None and classifier.second is not None:
        own = reading.by_word[1][:, column] * classifier.second.encoder_weight[column]
        gains = np.concatenate([gains * classifier.second.margin_weight[column], own])

    def name(at: int) -> str | tuple[int, int]:
        if at < len(indices) or reading is None:
            return classifier.features.name(int(indices[at]))
        return reading.by_word[0][at - len(indices)]

    return gains, name


def _best_spans(text: str, gains: Floats, name: Callable[[int], str | tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans of at most SPANS features that add most, none overlapping, in order."""
    spans: list[tuple[int, int]] = []
    least = 0.0
    for at in np.argsort(-gains, kind="stable")[: 10 * SPANS].tolist():
        if gains[at] <= least or len(spans) == SPANS:
            break
        found = name(at)
        term, places = (found, _occurrences(text, found)) if isinstance(found, str) else (text[slice(*found)], [found])
        if len(term) > 1 and term.isalnum():  # a comma or a particle weighs something, and explains nothing
            least = least or LEAST * float(gains[at])
            free = (place for place in places if all(place[1] <= a or place[0] >= b for a, b in spans))
            spans += islice(free, 1)
    return sorted(spans)


def _occurrences(text: str, term: str) -> Iterator[tuple[int, int]]:
    start = text.find(term)
    while start >= 0:
        yield start, start + len(term)
        start = text.find(term, start + len(term))
