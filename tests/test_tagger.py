from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from policytext import codebook as codebooks
from policytext import config as configs
from policytext import engine
from policytext.codebook import Codebook, Dimension, Label
from policytext.config import TagConfig
from policytext.errors import ModelError
from policytext.records import Passage
from policytext.tag import Classifier, Tagger, TrainConfig, TrainingSet, train

TOPICS = ("主动公开政府信息", "推进一网通办平台", "发展学前教育", "完善养老服务")
BOOK = Codebook(
    "test",
    "1",
    "测试",
    "test",
    (Dimension("stage", "阶段", "stage", "classifier"), Dimension("era", "时代", "era")),
    (
        Label("stage.open", "开放", "open", "", "", terms=("公开",)),
        Label("stage.online", "网上", "online", "", "", terms=("一网通办",)),
        Label("era.fourth", "第四次", "fourth", "", "", terms=("第四次工业革命", "人工智能")),
    ),
)


def passage(text: str, n: int = 0, start: int = 0, kind: str = "body") -> Passage:
    return Passage("d", n, start, start + len(text), kind, "", text, tuple(text))


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    texts = tuple(f"第{i}条 {TOPICS[i % 4]}，抓好第{i % 5}项。" for i in range(120))
    targets = np.array([[i % 4 == 0, i % 4 == 1] for i in range(120)])
    groups = tuple(f"g{i % 40}" for i in range(120))
    words = tuple(tuple(text) for text in texts)
    return train(TrainingSet(("stage.open", "stage.online"), texts, words, targets, groups), TrainConfig(vectors=""))


@pytest.fixture(scope="module")
def tagger(classifier: Classifier) -> Tagger:
    return Tagger(BOOK, classifier, TagConfig())


def test_the_classifier_judges_each_of_its_labels(tagger: Tagger):
    tags = tagger.tag([passage("要主动公开政府信息。", n=3, start=20)])
    assert [(tag.label, tag.decision) for tag in tags] == [("stage.open", "yes"), ("stage.online", "no")]
    assert all((tag.method, tag.n, tag.start, tag.end) == ("classifier", 3, 20, 30) for tag in tags)
    assert 0 <= tags[1].probability < 0.5 < tags[0].probability <= 1


def test_terms_judge_the_other_labels_with_their_span(tagger: Tagger):
    tags = tagger.tag([passage("迎接第四次工业革命与人工智能。", start=100)])
    found = [(tag.label, tag.start, tag.end, tag.note) for tag in tags if tag.method == "lexicon"]
    assert found == [("era.fourth", 102, 109, "第四次工业革命"), ("era.fourth", 110, 114, "人工智能")]


def test_a_term_never_decides_a_label_of_the_classifier(tagger: Tagger):
    tags = tagger.tag([passage("公开招聘学前教育教师")])
    assert {tag.method for tag in tags} == {"classifier"}


def test_without_a_classifier_terms_decide_everything():
    tags = Tagger(BOOK, None, TagConfig(model=None)).tag([passage("主动公开")])
    assert [(tag.label, tag.method, tag.decision) for tag in tags] == [("stage.open", "lexicon", "yes")]


@pytest.mark.parametrize("kind", ["heading", "table", "short", "boilerplate"])
def test_kinds_that_are_not_coded_get_no_tag(tagger: Tagger, kind: str):
    assert tagger.tag([passage("主动公开政府信息", kind=kind)]) == []
    assert tagger.evidence(passage("主动公开政府信息", kind=kind)) == []


def test_evidence_lies_where_it_says(tagger: Tagger):
    text = "要主动公开政府信息，拥抱人工智能。"
    evidence = tagger.evidence(passage(text, start=7))
    assert {"lexicon", "classifier"} <= {hit.method for hit in evidence}
    assert {hit.label for hit in evidence} == {"stage.open", "era.fourth"}
    assert all(text[hit.start - 7 : hit.end - 7] == hit.term for hit in evidence)


def test_columns_say_the_same_as_tag_and_evidence(tagger: Tagger):
    passages = [passage("主动公开政府信息", 0, 0), passage("推进人工智能", 1, 9), passage("标题", 2, 16, "heading")]
    columns = tagger.columns(passages)
    tags = tagger.tag(passages)
    assert columns.tags["label"].to_pylist() == [tag.label for tag in tags]
    assert columns.tags["start"].to_pylist() == [tag.start for tag in tags]
    expected = {(hit.label, hit.start, hit.end) for one in passages for hit in tagger.evidence(one)}
    rows = zip(*(columns.evidence[name].to_pylist() for name in ("label", "start", "end")), strict=True)
    assert set(rows) == expected


def test_columns_of_nothing_are_empty(tagger: Tagger):
    columns = tagger.columns([])
    assert all(len(column) == 0 for column in (*columns.tags.values(), *columns.evidence.values()))


def test_abstaining_is_asked_for_in_the_config(classifier: Classifier):
    low, high = np.zeros(2, np.float32), np.full(2, 1.1, np.float32)
    unsure = Classifier(**{**vars(classifier), "low": low, "high": high})
    texts = [passage("主动公开政府信息")]
    assert {tag.decision for tag in Tagger(BOOK, unsure, TagConfig(abstain=True)).tag(texts)} == {"abstain"}
    assert {tag.decision for tag in Tagger(BOOK, unsure, TagConfig()).tag(texts)} == {"yes", "no"}


def test_the_instrument_changes_with_codebook_and_settings(classifier: Classifier, tagger: Tagger):
    others = [Tagger(BOOK, None, TagConfig()), Tagger(BOOK, classifier, TagConfig(abstain=True))]
    assert len({tagger.instrument(), *(other.instrument() for other in others)}) == 3
    assert tagger.instrument() == Tagger(BOOK, classifier, TagConfig()).instrument()


def test_a_model_of_another_codebook_is_refused(classifier: Classifier):
    book = Codebook("b", "1", "b", "b", BOOK.dimensions, BOOK.labels[1:])
    with pytest.raises(ModelError, match=r"stage\.open"):
        Tagger(book, classifier, TagConfig())


def test_the_default_model_fits_the_default_codebook():
    root = Path(__file__).parents[1]
    book = codebooks.load(root / "configs" / "codebooks" / "digital_government.toml")
    classifier = Classifier.load(root / "models" / "digital_government" / "classifier")
    tagger = Tagger(book, classifier, TagConfig())
    assert tagger.decided == book.ids("classifier")


def test_the_config_says_which_passages_are_read_again():
    text = "会议讨论了秋季运动会的安排。"
    found = {}
    for which in ("doubtful", "all", "none"):
        config = configs.load()
        rooms = engine.build(replace(config, tag=replace(config.tag, second_reading=which)))
        one = Passage("d", 0, 0, len(text), "body", "", text, rooms.segmenter.cut(text))
        found[which] = len(rooms.tagger.classifier.judge([text], [one.words], rooms.tagger._patterns.matrix).readings)
    assert found == {"doubtful": 0, "all": 1, "none": 0}


def test_many_passages_are_explained_as_each_alone():
    rooms = engine.rooms(configs.load())
    texts = ("推进一网通办，提高审批效率。", "", "各级行政机关应当主动公开政府信息，接受社会监督。")
    many = [Passage("d", n, 0, len(text), "body", "", text, rooms.segmenter.cut(text)) for n, text in enumerate(texts)]
    found = rooms.tagger.explained([*many, replace(many[0], n=9, kind="title")])
    assert [tags for tags, _ in found[:3]] == [rooms.tagger.tag([one]) for one in many]
    assert [evidence for _, evidence in found[:3]] == [rooms.tagger.evidence(one) for one in many]
    assert found[3] == ([], [])  # a kind that is not coded


def test_the_second_reading_says_why_too():
    rooms = engine.rooms(configs.load())
    classifier = rooms.tagger.classifier
    assert classifier is not None
    every = classifier.reading("all")
    deaf = replace(every, second=replace(every.second, margin_weight=0 * every.second.margin_weight))
    tagger = Tagger(rooms.codebook, deaf, rooms.config.tag)
    text = "各级行政机关应当主动公开政府信息，向社会开放公共数据资源。"
    evidence = tagger.evidence(Passage("d", 0, 0, len(text), "body", "", text, rooms.segmenter.cut(text)))
    found = [hit for hit in evidence if hit.label == "stage.open" and hit.method == "classifier"]
    assert len(found) > 1
    assert all(len(hit.term) > 1 for hit in found)
    assert all(text[hit.start : hit.end] == hit.term for hit in found)
