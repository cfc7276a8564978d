"""From labels to a classifier: what the scores rest on is said, and no copy judges its twin."""

import json
import random

import pytest

import policytext as pt
from policytext import learning
from policytext.errors import LabelError
from policytext.labels import LabelledPassage

BOOK = """
id = "c"
version = "1"
title = "测试"
[[dimension]]
id = "topic"
name = "主题"
decided_by = "classifier"
[[dimension]]
id = "aim"
name = "目的"
[[label]]
id = "topic.housing"
name = "住房"
definition = "住房"
terms = ["住房"]
[[label]]
id = "topic.rare"
name = "少见"
definition = "少见"
terms = ["灯塔"]
[[label]]
id = "aim.price"
name = "价格"
definition = "价格"
terms = ["价格"]
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "book.toml").write_text(BOOK, encoding="utf-8")
    (tmp_path / "mine.toml").write_text('name = "mine"\n[tag]\ncodebook = "book.toml"\n', encoding="utf-8")
    return tmp_path / "mine.toml"


def rows(count=120):
    chance = random.Random(1)  # noqa: S311
    for i in range(count):
        topic = ("保障性住房建设", "农田水利工程", "学前教育", "灯塔维护")[3 if i in (5, 6) else i % 3]
        text = f"第{i}号文件提出推进{topic}，{chance.choice('甲乙丙丁')}区安排{chance.randrange(90)}项任务。"
        labels = ["topic.housing"] if "住房" in topic else ["topic.rare"] if "灯塔" in topic else []
        yield {"id": f"p{i}", "doc": f"d{i % 30}", "text": text, "labels": labels}


def write(path, lines):
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def passage(name, text, group, labels=()):
    return LabelledPassage(name, text, tuple(labels), group)


def test_documents_that_share_a_text_are_one():
    given = [passage("1", "甲", "/a"), passage("2", "甲 ", "/b"), passage("3", "乙", "/b"), passage("4", "丙", "/c")]
    assert learning._groups(given, [row.text for row in given]) == ("/a", "/a", "/a", "/c")


def test_what_makes_scores_too_good_is_said():
    alone = [passage("1", "甲", "/1", ["a.b"]), passage("2", "甲", "/2")]
    notes = learning.remarks(alone, ["甲", "甲"])
    assert notes[0].startswith("no passage names its document")
    assert notes[1].startswith("1 passages repeat the text of another")
    assert notes[2].startswith("1 texts have different labels")
    assert learning.remarks([passage("1", "甲", "/a"), passage("2", "乙", "/a")], ["甲", "乙"]) == []


def test_a_rare_label_is_left_to_its_terms(config, tmp_path):
    card = pt.train_classifier(write(tmp_path / "l.jsonl", rows()), tmp_path / "model", config=config)
    assert list(card["positives"]) == ["topic.housing"]
    assert any("topic.rare: their terms decide" in note for note in card["notes"])
    assert "note: too few documents" in learning.card_table(card)


def test_labels_that_terms_decide_are_scored_too(config, tmp_path):
    labels = write(tmp_path / "l.jsonl", [{"doc": "a", "text": "价格上涨", "labels": ["aim.price"]}, *rows(3)])
    scores = pt.evaluate_labels(labels, config=config)
    assert set(scores.labels["label"]) == {"topic.housing", "topic.rare", "aim.price"}


def test_empty_label_files_are_named(config, tmp_path):
    with pytest.raises(LabelError, match="label files are empty"):
        pt.train_classifier(write(tmp_path / "l.jsonl", []), tmp_path / "model", config=config)


def test_a_term_that_is_only_wrong_shows(tmp_path):
    book = BOOK.replace('decided_by = "classifier"\n', "")
    (tmp_path / "book.toml").write_text(book, encoding="utf-8")
    (tmp_path / "mine.toml").write_text('name = "mine"\n[tag]\ncodebook = "book.toml"\n', encoding="utf-8")
    labels = write(tmp_path / "l.jsonl", [{"doc": "a", "text": "住房价格上涨", "labels": ["topic.housing"]}])
    scores = pt.evaluate_labels(labels, config=tmp_path / "mine.toml").labels.set_index("label")
    assert scores.loc["aim.price", "precision"] == 0


def test_a_failed_training_leaves_no_folder(config, tmp_path):
    with pytest.raises(LabelError):
        pt.train_classifier(write(tmp_path / "l.jsonl", []), tmp_path / "model", config=config)
    assert not (tmp_path / "model").exists()


def test_copies_in_other_documents_are_of_one_document(tmp_path, config):
    once = [row | {"doc": row["id"]} for row in rows(12)]
    copied = [row | {"id": f"{row['id']}-{i}", "doc": f"{row['doc']}-{i}"} for row in once for i in range(8)]
    found = [
        pt.evaluate_labels(write(tmp_path / f"{name}.jsonl", lines), config=config)
        for name, lines in (("once", once), ("copied", copied))
    ]
    assert [scores.documents for scores in found] == [12, 12]
