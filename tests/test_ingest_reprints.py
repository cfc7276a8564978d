"""Reprints are told from documents that merely fill the same template, whatever the order."""

import random

from hypothesis import given
from hypothesis import strategies as st

from policytext.ingest import reprints

STEMS = ("推进数字政府建设", "提高政务服务效率", "完善公共数据开放", "优化营商环境", "加强基层治理", "扩大公众参与")
PLACES = ("东城", "西城", "南山", "北海", "临江", "平湖", "青山", "白河")


def article(seed: int, sentences: int = 30) -> list[str]:
    chance = random.Random(seed)  # noqa: S311
    return [
        f"{chance.choice(PLACES)}{chance.choice(STEMS)}，第{chance.randrange(1000)}次会议决定由{chance.choice(PLACES)}负责落实。"
        for _ in range(sentences)
    ]


def clusters(texts: dict[str, str]) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for doc_id, cluster in reprints.cluster(texts.items()):
        found.setdefault(cluster, set()).add(doc_id)
    return sorted((group for group in found.values() if len(group) > 1), key=min)


def test_reprint_with_other_head_and_foot_and_dropped_sentences_is_found():
    text = article(1)
    reprint = [
        "某某网讯 来源：晨光日报\n",
        *(s for i, s in enumerate(text) if i % 10),
        "（责任编辑：王小明）\n相关阅读",
    ]
    texts = {"a": "".join(text), "b": "".join(reprint), "c": "".join(article(2))}
    assert clusters(texts) == [{"a", "b"}]


def test_reports_of_two_years_that_fill_one_template_stay_apart():
    year = "过去{n}年，全市生产总值增长{n}.{n}%。新增就业{n}万人，建成项目{n}个。各位代表，成绩来之不易！"
    report = "".join(year.replace("{n}", str(n)) for n in range(11, 40, 2))
    other = "".join(year.replace("{n}", str(n)) for n in range(12, 41, 2))
    assert clusters({"2024": report, "2025": other}) == []


def test_notice_and_notice_with_long_attachment_are_two_documents():
    notice = "".join(article(3, 6))
    assert clusters({"a": notice, "b": notice + "".join(article(4, 60))}) == []


def test_a_new_edition_of_a_law_is_another_document():
    kept, old, new = article(7, 61), article(8, 39), article(9, 39)
    assert clusters({"2016": "".join(kept + old), "2024": "".join(kept + new)}) == []
    assert clusters({"2016": "".join(kept), "2024": "".join(kept + new)}) == []
    assert clusters({"2016": "".join(kept), "again": "".join(kept[3:])}) == [{"2016", "again"}]


def test_cluster_takes_the_smallest_id_and_single_documents_stand_alone():
    text = "".join(article(5))
    assert reprints.cluster([("z", text), ("m", text), ("k", "".join(article(6)))]) == [
        ("k", "k"),
        ("m", "m"),
        ("z", "m"),
    ]


@given(st.permutations(range(8)))
def test_order_of_documents_does_not_matter(order):
    texts = [("".join(article(n // 3)), f"d{n}") for n in range(8)]
    shuffled = [(texts[n][1], texts[n][0]) for n in order]
    assert reprints.cluster(shuffled) == reprints.cluster([(doc_id, text) for text, doc_id in texts])


def test_empty_and_tiny_texts_are_taken():
    assert dict(reprints.cluster([("a", ""), ("b", "好"), ("c", "！？"), ("d", "好")]))["d"] == "b"
    assert reprints.cluster([]) == []


@given(st.text(max_size=200))
def test_a_text_is_the_same_as_itself(text):
    assert reprints.same(reprints.sketch("a", text), reprints.sketch("b", text))
