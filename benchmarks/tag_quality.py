"""How good the tags are, beside a term list and TF-IDF with logistic regression; and how the default model is made.

    python benchmarks/tag_quality.py                 scores on ../shared/gold/dev.jsonl of the model in the config
    python benchmarks/tag_quality.py --cv            adds cross-validation by document on the labels
    python benchmarks/tag_quality.py --fit [--encoder DIR]
                                                     trains the default model anew and saves it first, around its
                                                     own encoder, or the one that encoder_train.py left in DIR

dev.jsonl is for looking, not for choosing: thresholds and settings come from cross-validation on the labels.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from policytext import codebook as codebooks
from policytext import config as configs
from policytext import convert, engine, labels, segment
from policytext.errors import PolicyTextError
from policytext.records import Passage
from policytext.segment import words
from policytext.tag import Classifier, Tagger, TrainConfig, TrainingSet, Unlabelled, copies, train
from policytext.tag.encoder import Encoder
from policytext.tag.lexicon import Lexicon
from policytext.tag.patterns import Patterns

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
LABELS = ROOT / "corpora" / "digital_government" / "labels"
MODEL = ROOT / "models" / "digital_government" / "classifier"
KEPT = ROOT / "benchmarks" / "encoder" / "logits.npz"
READERS = "language models that applied the codebook to each passage; no human has coded these passages"
ENCODER = (
    "pre-trained on the texts of ../shared/corpora without labels (reserved documents, mixed_paragraphs and copies of "
    "dev's passages left out), fine-tuned on the labels and their evidence clauses: benchmarks/encoder_train.py"
)
UNLABELLED = 4  # every fourth paragraph teaches the gate
LIMITS = (
    "Trained on policy texts, laws, news and meeting transcripts of mainland China, Taiwan and Hong Kong, 1954-2026.",
    "On other texts calibration and thresholds may be off: label a sample and run policytext evaluate.",
    "Shares counted from these decisions are biased; correct them with a probability sample labelled by hand.",
    "A passage of 40 to 400 characters is judged alone; headings and neighbours are not seen.",
)


@dataclass(frozen=True)
class Prepared:
    """Labelled passages after conversion and segmentation."""

    passages: list[labels.LabelledPassage]
    texts: list[str]
    words: list[tuple[str, ...]]


def prepare(passages: list[labels.LabelledPassage], config: configs.Config, book: codebooks.Codebook) -> Prepared:
    terms = {term for label in book.labels for term in label.terms} if config.segment.codebook_words else set()
    listed = words.load(config.resolve(config.segment.words)) if config.segment.words else ()
    segmenter = segment.Segmenter(config.segment, sorted(terms | set(listed)))
    texts = [convert.convert(passage.text, config.convert.variant).text for passage in passages]
    return Prepared(passages, texts, [segmenter.cut(text) for text in texts])


def training_set(data: Prepared, ids: tuple[str, ...], book: codebooks.Codebook) -> TrainingSet:
    patterns = Patterns(book)
    return TrainingSet(
        labels=ids,
        texts=tuple(data.texts),
        words=tuple(data.words),
        targets=np.array(labels.matrix(data.passages, ids), dtype=bool),
        groups=tuple(passage.group for passage in data.passages),
        patterns=patterns.matrix(data.texts),
        pattern_names=patterns.names,
        made=np.array([passage.made for passage in data.passages], dtype=bool),
    )


def reserved() -> set[str]:
    """Return the groups (file/doc) that are kept for evaluation."""
    with (SHARED / "gold" / "reserved.csv").open(encoding="utf-8") as lines:
        return {f"{row['file']}/{row['doc']}" for row in csv.DictReader(lines)}


def paragraphs(shares: dict[str, float]) -> Iterator[str]:
    """Yield simplified paragraphs of the documents that may be learnt from, each once."""
    kept_back = reserved()
    draw = random.Random(1)  # noqa: S311
    seen = {_key(convert.convert(passage.text).text) for passage in labels.read(SHARED / "gold" / "dev.jsonl")}
    for path in sorted((SHARED / "corpora").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if name == "mixed_paragraphs":
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                doc = json.loads(line)
                if f"{name}/{doc['id']}" in kept_back or draw.random() > shares.get(name, 1):
                    continue
                for paragraph in convert.convert(doc["text"]).text.split("\n"):
                    text = paragraph.strip()
                    if len(text) >= 8 and _key(text) not in seen:
                        if len(text) > 30:
                            seen.add(_key(text))
                        yield text


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.strip().encode("utf-8", "surrogatepass"), digest_size=8).digest()


def drop_held_out(data: TrainingSet, dev: Prepared) -> tuple[TrainingSet, dict[str, int]]:
    """Leave out reserved documents and near-copies of the evaluation passages; say how many."""
    kept_back = reserved()
    bad = np.array([group in kept_back for group in data.groups], dtype=bool)
    near = np.zeros(len(data.texts), dtype=bool)
    near[copies(data.texts, dev.texts)] = True
    facts = {"in_reserved_documents": int(bad.sum()), "near_copies_of_dev": int((near & ~bad).sum())}
    return data.take(np.flatnonzero(~bad & ~near)), facts


def unlabelled(config: configs.Config, book: codebooks.Codebook) -> Unlabelled:
    """Return paragraphs that nobody has read, for the gate."""
    texts = [text[: config.segment.max_passage_chars] for text in islice(paragraphs({}), 0, None, UNLABELLED)]
    segmenter = segment.Segmenter(config.segment, engine.domain_words(config, book))
    return Unlabelled(tuple(texts), tuple(segmenter.cut(text) for text in texts), Patterns(book).matrix(texts))


def fit_default(config: configs.Config, book: codebooks.Codebook, dev: Prepared, work: Path | None) -> Classifier:
    prepared = prepare(labels.read(LABELS), config, book)
    whole = training_set(prepared, book.ids("classifier"), book)
    encoder = the_encoder(work)
    if encoder is not None:
        whole = replace(whole, logits=held_out_logits(encoder, [passage.id for passage in prepared.passages]))
    data, left_out = drop_held_out(whole, dev)
    card = {
        "codebook": {"id": book.id, "version": book.version, "sha256": book.sha256()},
        "labelled_by": READERS,
        "labels": "corpora/digital_government/labels",
        "left_out": left_out,
        "limits": LIMITS,
        "encoder": None if encoder is None else ENCODER,
    }
    return train(data, TrainConfig(), card=card, encoder=encoder, unlabelled=unlabelled(config, book))


def the_encoder(work: Path | None) -> Encoder | None:
    """Return the encoder that lies in `work`, else that of the model as it is."""
    if work is None:
        reading = Classifier.load(MODEL).second
        return None if reading is None else reading.encoder
    with np.load(work / "encoder.npz", allow_pickle=False) as stored:
        return Encoder.from_arrays({name: stored[name] for name in ("tokens", "graph")})


def held_out_logits(encoder: Encoder, ids: Sequence[str]) -> np.ndarray:
    """Return the log-odds of an encoder that did not see the passage's document, in the order of `ids`.

    What was left out of its training, because it is left out of every training, has NaN.
    """
    if not KEPT.exists():
        raise SystemExit(f"{KEPT} is not there: run benchmarks/encoder_train.py finetune, then --encoder {KEPT.parent}")
    with np.load(KEPT, allow_pickle=False) as stored:
        if str(stored["encoder"]) != hashlib.sha256(encoder.graph.tobytes()).hexdigest():
            raise SystemExit(f"{KEPT} is of another encoder: run benchmarks/encoder_train.py finetune")
        known = dict(zip(stored["ids"].tolist(), stored["logits"].astype(np.float32), strict=True))
    nothing = np.full(len(next(iter(known.values()))), np.nan, np.float32)
    return np.array([known.get(name, nothing) for name in ids])


def f1(truth: np.ndarray, decided: np.ndarray) -> np.ndarray:
    return 2 * (truth & decided).sum(0) / np.maximum(1, truth.sum(0) + decided.sum(0))


def by_terms(texts: Sequence[str], ids: tuple[str, ...], book: codebooks.Codebook) -> np.ndarray:
    """Decide yes wherever a term of the label occurs: what a term list does."""
    lexicon = Lexicon(book)
    found = [{hit.label for hit in lexicon.find(text)} for text in texts]
    return np.array([[label in row for label in ids] for row in found], dtype=bool)


def by_tfidf(data: TrainingSet, dev: Prepared) -> np.ndarray:
    """Decide by words TF-IDF and logistic regression, as most scripts do."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(analyzer=_as_is, min_df=2, sublinear_tf=True)
    rows, asked = vectorizer.fit_transform(data.words), vectorizer.transform(dev.words)
    heads = [LogisticRegression(class_weight="balanced", max_iter=1000).fit(rows, y) for y in data.targets.T]
    return np.stack([head.predict(asked) for head in heads], axis=1).astype(bool)


def _as_is(words: Sequence[str]) -> Sequence[str]:
    return words


def show(name: str, scores: np.ndarray) -> None:
    print(f"{name:44s} {scores.mean():.3f}   " + " ".join(f"{score:.3f}" for score in scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="train the default model anew and save it")
    parser.add_argument("--encoder", type=Path, help="folder where encoder_train.py left encoder.npz")
    parser.add_argument("--cv", action="store_true", help="cross-validate the baselines too")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = configs.load(ROOT / "configs" / "digital_government.toml")
    book = codebooks.load(config.resolve(config.tag.codebook))
    ids = book.ids("classifier")
    dev = prepare(labels.read(SHARED / "gold" / "dev.jsonl"), config, book)
    if arguments.fit:
        fit_default(config, book, dev, arguments.encoder).save(MODEL)
    classifier = Classifier.load(MODEL)
    truth = np.array(labels.matrix(dev.passages, ids), dtype=bool)
    passages = [
        Passage(str(i), 0, 0, len(text), "body", "", text, words)
        for i, (text, words) in enumerate(zip(dev.texts, dev.words, strict=True))
    ]
    tags = Tagger(book, classifier, config.tag).tag(passages)
    yes = {(tag.doc_id, tag.label) for tag in tags if tag.decision == "yes" and tag.method == "classifier"}
    decided = np.array([[(str(i), label) in yes for label in ids] for i in range(len(passages))])
    print(
        f"\n{'macro F1, then each label, on dev.jsonl':44s}         "
        + " ".join(label.split(".")[1][:5] for label in ids)
    )
    show("a term list", f1(truth, by_terms(dev.texts, ids, book)))
    show("this model", f1(truth, decided))
    scripts = np.array([passage.script for passage in dev.passages])
    for script in sorted(set(scripts)):
        show(
            f"  of it {script} ({(scripts == script).sum()})", f1(truth[scripts == script], decided[scripts == script])
        )
    facts = classifier.card["cross_validation"]
    show("this model, cross-validated by document", np.array([facts["f1"][label] for label in ids]))
    if arguments.cv:
        data = training_set(prepare(labels.read(LABELS), config, book), ids, book)
        show("TF-IDF of words, logistic regression, on dev", f1(truth, by_tfidf(data, dev)))


if __name__ == "__main__":
    try:
        main()
    except PolicyTextError as error:
        raise SystemExit(f"tag_quality: {error}") from error
