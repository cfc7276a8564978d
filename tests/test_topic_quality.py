import numpy as np
import pytest

from policytext.config import TopicsConfig
from policytext.topics import compare, fit, judge
from policytext.topics.quality import coherence, diversity, similarity

THEMES = [[f"{theme}{i}" for i in range(12)] for theme in ("数据", "养老", "企业", "教育")]
CONFIG = TopicsConfig(k=4, min_passages=2, max_share=0.9)


def passages(count=400, seed=0):
    rng = np.random.default_rng(seed)
    everywhere = [word for theme in THEMES for word in theme]
    return [[*rng.choice(THEMES[i % 4], 8).tolist(), *rng.choice(everywhere, 2).tolist()] for i in range(count)]


@pytest.mark.filterwarnings("ignore")  # of gensim's own
def test_coherence_equals_gensim():
    from gensim.corpora import Dictionary
    from gensim.models import CoherenceModel

    words = passages()
    topics = [theme[:5] for theme in THEMES] + [[theme[0] for theme in THEMES]]
    model = CoherenceModel(
        topics=topics, texts=words, dictionary=Dictionary(words), coherence="c_npmi", window_size=1000, processes=1
    )
    np.testing.assert_allclose(coherence(topics, words), model.get_coherence_per_topic(), atol=1e-6)


def test_coherence_of_words_that_never_or_always_meet():
    words = [["甲", "乙"], ["甲", "乙"], ["丙"]]
    assert coherence([["甲", "乙"], ["甲", "丙"]], words).tolist() == pytest.approx([1.0, -1.0])
    assert np.isnan(coherence([["甲", "丁"], ["甲"]], words)).all()


def test_judge_knows_true_topics_from_mixed_ones():
    words, fresh = passages(), passages(seed=1)
    table = judge(fit(words, CONFIG), fresh)
    assert table["topic"].tolist() == [0, 1, 2, 3, -1]
    assert table["share"].sum() == pytest.approx(1)
    assert (table["coherence"].iloc[:4] > 0.2).all()
    assert (table["exclusive"].iloc[:4] == 1).all()


def test_passages_of_unknown_words_are_the_last_row():
    table = judge(fit(passages(), CONFIG), [*passages(30), ["未知"]] * 2)
    assert table["share"].iloc[-1] == pytest.approx(1 / 31)


def test_diversity_of_distinct_topics_is_one():
    assert diversity(fit(passages(), CONFIG), top=5) == 1


def test_similarity_of_a_model_with_itself_is_one_and_with_another_sample_high():
    one, other = fit(passages(), CONFIG), fit(passages(seed=7), CONFIG)
    assert similarity(one, one) == pytest.approx(np.ones(4))
    assert similarity(one, other).min() > 0.9


def test_similarity_finds_no_match_for_a_topic_too_many():
    few = fit(passages(), TopicsConfig(k=2, min_passages=2, max_share=0.9))
    assert (similarity(fit(passages(), CONFIG), few) == 0).sum() == 2


def test_compare_prefers_the_true_number_of_topics_and_ignores_order():
    words = passages(600)
    table = compare(words, CONFIG, ks=[4, 8], repeats=2).set_index("k")
    assert table.loc[4, "stability"] > table.loc[8, "stability"]
    assert table.loc[4, "diversity"] > table.loc[8, "diversity"]
    assert table.equals(compare(words[::-1], CONFIG, ks=[4, 8], repeats=2).set_index("k"))
