import json

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import NMF
from sklearn.feature_extraction.text import TfidfVectorizer

from policytext.config import TopicsConfig
from policytext.errors import ModelError
from policytext.topics import EmptyVocabulary, fit, load, models

THEMES = [
    ["数据", "开放", "平台", "共享", "目录"],
    ["养老", "服务", "社区", "健康", "照护"],
    ["企业", "创新", "研发", "税", "融资"],
]
CONFIG = TopicsConfig(k=3, min_passages=2, max_share=0.9)


def passages(count=300, seed=0):
    rng = np.random.default_rng(seed)
    return [
        [*rng.choice(THEMES[i % 3], rng.integers(2, 9)).tolist(), "的", "，", "2021"] + ["创新"] * int(i % 5 == 0)
        for i in range(count)
    ]


def test_topics_separate_the_themes():
    model = fit(passages(), CONFIG)
    found = {frozenset(label.split("、")) & frozenset(set().union(*THEMES)) for label in model.labels(3)}
    assert all(any(words <= set(theme) for theme in THEMES) for words in found)
    ids, shares = model.assign([["养老", "照护"], ["开放", "目录"], ["研发", "融资"]])
    assert len(set(ids.tolist())) == 3
    assert (shares > 0.8).all()


def test_terms_come_strongest_first():
    for row in fit(passages(), CONFIG).terms(4):
        weights = [weight for _, weight in row]
        assert weights == sorted(weights, reverse=True)
        assert 1 <= len(row) <= 4


def test_words_of_one_character_are_kept():
    assert "税" in fit(passages(), CONFIG).vocabulary.words


def test_vocabulary_says_what_was_dropped():
    words = [*passages(), ["罕见词", "数据"]]
    report = fit(words, CONFIG).vocabulary.report()
    assert report["dropped"] == {"symbols": 2, "stopwords": 1, "rare": 1, "common": 0}
    assert report["kept"] == 15


def test_words_in_too_many_passages_are_dropped_by_name():
    words = [[*one, "推进"] for one in passages()]
    assert fit(words, CONFIG).vocabulary.common == ("推进",)


def test_order_of_passages_changes_nothing():
    words = passages()
    order = np.random.default_rng(1).permutation(len(words))
    config = TopicsConfig(k=3, min_passages=2, max_share=0.9, fit_passages=200)
    keys = [f"d/{i}" for i in range(len(words))]
    one = fit(words, config, keys=keys)
    other = fit([words[i] for i in order], config, keys=[keys[i] for i in order])
    assert one.vocabulary == other.vocabulary
    np.testing.assert_array_equal(one.topics, other.topics)
    np.testing.assert_array_equal(one.transform(words)[order], one.transform([words[i] for i in order]))


def test_a_passage_gets_the_same_weights_alone_and_among_others():
    model = fit(passages(), CONFIG)
    together = model.transform(passages(50, seed=3))
    alone = np.vstack([model.transform([one]) for one in passages(50, seed=3)])
    np.testing.assert_array_equal(together, alone)


def test_weights_equal_scikit_learn():
    words = passages()
    model = fit(words, CONFIG)
    tfidf = TfidfVectorizer(analyzer=lambda one: [w for w in one if w in model.vocabulary.words], sublinear_tf=True)
    matrix = tfidf.fit_transform(words)
    assert tfidf.get_feature_names_out().tolist() == list(model.vocabulary.words)
    np.testing.assert_allclose(tfidf.idf_, model.idf)
    reference = NMF(3, init="nndsvd", max_iter=5000, tol=1e-12)
    reference.fit(matrix)
    reference.components_ = model.topics
    np.testing.assert_allclose(model.transform(words), reference.transform(matrix), atol=1e-6)


def test_passages_without_known_words_are_unassigned_not_lost():
    ids, shares = fit(passages(), CONFIG).assign([[], ["，", "2021"], ["未知"], ["数据"]])
    assert ids.tolist()[:3] == [-1, -1, -1]
    assert ids[3] >= 0
    assert shares.tolist()[:3] == [0, 0, 0]


def test_arrow_lists_and_python_lists_are_the_same():
    words = passages()
    chunked = pa.chunked_array([words[:100], words[100:]])
    sliced = pa.array([["x"], *words])[1:]
    model = fit(words, CONFIG)
    for same in (chunked, sliced):
        np.testing.assert_array_equal(fit(same, CONFIG).topics, model.topics)
        np.testing.assert_array_equal(model.assign(same)[0], model.assign(words)[0])


def test_null_words_count_as_none():
    ids, _ = fit(passages(), CONFIG).assign(pa.array([None, ["数据"]]))
    assert ids.tolist()[0] == -1
    assert len(ids) == 2


@pytest.mark.parametrize("words", [[], [["，"], ["的"]], [["数据"], ["开放"]]])
def test_empty_vocabulary_is_an_error_with_advice(words):
    with pytest.raises(EmptyVocabulary, match="lower \\[topics\\] min_passages"):
        fit(words, CONFIG)


def test_more_topics_than_the_corpus_holds_are_not_made_up():
    model = fit([["数据", "开放"], ["养老", "服务"]] * 5, TopicsConfig(k=12, min_passages=1, max_share=0.9))
    assert 1 <= model.k <= 4
    assert np.isfinite(model.topics).all()


def test_saved_model_loads_the_same(tmp_path):
    model = fit(passages(), CONFIG)
    model.save(tmp_path)
    other = load(tmp_path)
    assert other.vocabulary == model.vocabulary
    assert other.config == model.config
    np.testing.assert_array_equal(other.transform(passages(20)), model.transform(passages(20)))


def test_altered_model_is_refused(tmp_path):
    fit(passages(), CONFIG).save(tmp_path)
    file = tmp_path / "topics.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match="altered"):
        load(tmp_path)


def test_altered_card_is_refused(tmp_path):
    fit(passages(), CONFIG).save(tmp_path)
    card = (tmp_path / "card.json").read_text(encoding="utf-8")
    (tmp_path / "card.json").write_text(card.replace("养老", "教育"), encoding="utf-8")
    with pytest.raises(ModelError, match="altered"):
        load(tmp_path)


def test_fit_that_did_not_settle_says_so(monkeypatch):
    monkeypatch.setattr(models, "_ITERATIONS", 2)
    assert not fit(passages(), CONFIG).converged


@pytest.mark.parametrize("change", [{"format": 99}, {"kind": "classifier"}])
def test_other_format_is_refused(tmp_path, change):
    fit(passages(), CONFIG).save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card | change), encoding="utf-8")
    with pytest.raises(ModelError, match="format 1"):
        load(tmp_path)


def test_missing_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no readable topic model"):
        load(tmp_path / "nowhere")


def test_stopwords_hold_no_word_twice_and_no_space():
    lines = [
        line for line in (models.files("policytext.topics") / "stopwords.txt").read_text("utf-8").splitlines() if line
    ]
    words = [line for line in lines if not line.startswith("#")]
    assert all(word == word.strip() for word in words)
    assert len(words) == len(set(words)) == len(models.stopwords())
