import hashlib
import json
import re
from base64 import b64encode
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policytext import pipeline, views
from policytext.codebook import Codebook, Dimension, Label
from policytext.config import Config, TrendsConfig, load
from policytext.records import Alignment, Document, Passage, Skipped, Tag
from policytext.report import ReportData, charts, gather, render, write
from policytext.report.gather import _topic_shares
from policytext.report.html import Topic
from policytext.report.quotes import Evidence, Quote, cut, pieces
from policytext.store import (
    EVIDENCE,
    REPRINTS,
    TAGS,
    TOPIC_TERMS,
    TOPICS,
    Batch,
    Store,
    documents_table,
    passages_table,
)

CODEBOOK = Codebook(
    "digital",
    "1",
    "数字政府",
    "Digital government",
    (Dimension("stage", "阶段", "stage", "classifier"), Dimension("era", "时代", "era", "terms")),
    (
        Label("stage.open", "开放政府阶段", "open government", "向社会公开政府信息。", "Opens government."),
        Label("stage.smart", "智慧政府阶段", "smart government", "用人工智能治理。", "Uses AI."),
        Label("era.first", "第一次工业革命", "first", "蒸汽机。", "Steam."),
    ),
    rules=("关键词本身不决定。",),
)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x00\ud800\u202e&amp;"


def trends(*rows):
    columns = ["label", "period", "documents", "passages", "tagged", "share", "low", "high"]
    return pd.DataFrame(list(rows), columns=columns)


def data(**changes):
    values = {
        "title": "报告",
        "subtitle": "数字政府",
        "codebook": CODEBOOK,
        "totals": {
            "documents": 2,
            "passages": 4,
            "coded": 4,
            "characters": 99,
            "undated": 0,
            "first": None,
            "last": None,
        },
    }
    return ReportData(**(values | changes))


def quote(text, *spans, script="hant", **changes):
    evidence = tuple(Evidence(start, end, text[start:end], "lexicon") for start, end in spans)
    values = {"title": "標題", "source": "報社", "date": "2014-09-21", "path": "a/b.html", "probability": 0.91}
    return Quote("stage.open", text, script=script, method="classifier", evidence=evidence, **(values | changes))


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attr) for attr in attrs]


def test_page_needs_no_network():
    page = Page(render(data(quotes={"stage.open": [quote("推進政府資訊公開", (2, 4))]})))
    assert not {"link", "img", "iframe", "object", "base"} & set(page.tags)
    links = [value for _, name, value in page.attributes if name in ("src", "href", "xlink:href")]
    assert all(link.startswith("#") for link in links)


def test_page_can_be_read_out():
    rows = [("stage.open", str(2000 + i), 20, 100, 10, 0.1, 0.05, 0.2) for i in range(3)]
    page = Page(render(data(trends=trends(*rows), quotes={"stage.open": [quote("公開")]})))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value for _, name, value in page.attributes if name == "aria-labelledby"} <= set(ids)
    assert {value[1:] for tag, name, value in page.attributes if tag == "a" and name == "href"} <= set(ids)
    assert page.tags.count("svg") == sum(1 for tag, name, _ in page.attributes if (tag, name) == ("svg", "aria-label"))
    assert page.tags.count("th") == sum(1 for tag, name, _ in page.attributes if (tag, name) == ("th", "scope"))


def test_policy_allows_only_the_styles_and_the_script_that_are_on_the_page():
    text = render(data())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for body in re.findall(r"<(?:style|script)(?: id=\"chart-style\")?>(.*?)</(?:style|script)>", text, re.DOTALL):
        digest = b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    "field", ["title", "subtitle", "quote", "path", "reason", "note", "provenance", "topic", "group"]
)
def test_hostile_text_never_becomes_markup(field):
    storable = HOSTILE.replace("\ud800", "")  # Arrow and pandas hold no lone surrogate
    changes = {
        "title": {"title": HOSTILE},
        "subtitle": {"subtitle": HOSTILE},
        "quote": {"quotes": {"stage.open": [quote(HOSTILE, (3, 20), title=HOSTILE, source=HOSTILE, date=HOSTILE)]}},
        "path": {"quotes": {"stage.open": [quote("公開", path=HOSTILE, title=None)]}},
        "reason": {"skipped": pd.DataFrame([Skipped(storable, "ingest", storable)]), "counts": {"skipped": 1}},
        "note": {"notes": (HOSTILE,)},
        "provenance": {"provenance": {HOSTILE: {"x": HOSTILE}}, "card": {"scores": {"labels": {HOSTILE: {"f1": 0.5}}}}},
        "topic": {"topics": [Topic(0, ((HOSTILE, 1.0),), 0.5, periods=(("2001", 0.1), ("2002", 0.2)))]},
        "group": {
            "groups": {"region": pd.DataFrame([{"value": storable, "documents": 1, "passages": 1, "characters": 1}])}
        },
    }[field]
    text = render(data(**changes))
    page = Page(text)
    assert page.tags.count("script") == 1
    assert "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not re.search("[\x00\ud800\u202e]", text)
    text.encode("utf-8")


def test_trends_data_cannot_close_its_script_block():
    rows = trends(("stage.open", HOSTILE.replace("\ud800", ""), 9, 9, 1, 0.1, 0.0, 0.2))
    assert Page(render(data(trends=rows))).tags.count("script") == 2


def test_quotes_keep_their_script_and_mark_their_evidence():
    text = render(
        data(quotes={"stage.open": [quote("推進政府資訊公開", (4, 8)), quote("推进公开", (2, 4), script="hans")]})
    )
    assert '<blockquote lang="zh-Hant">推進政府<mark title="lexicon: 資訊公開">資訊公開</mark></blockquote>' in text
    assert '<blockquote lang="zh-Hans">推进<mark' in text
    assert "<i>p</i> = 0.91" in text


def test_pieces_are_the_whole_text_and_overlapping_evidence_is_one_piece():
    evidence = [Evidence(1, 4, "bcd", "lexicon"), Evidence(3, 5, "de", "classifier"), Evidence(9, 12, "x", "lexicon")]
    parts = pieces("abcdefg", evidence)
    assert "".join(piece for piece, _, _ in parts) == "abcdefg"
    assert [(piece, firm) for piece, why, firm in parts if why] == [("bcde", True)]


SPANS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 60), st.sampled_from(["lexicon", "classifier"])), max_size=8
)


@given(text=st.text(alphabet="政务公开 a\n𠮷", max_size=900), spans=SPANS)
def test_cut_and_marked_text_is_still_the_text(text, spans):
    evidence = [Evidence(start, start + length, "", method) for start, length, method in spans]
    short, kept = cut(text, evidence, most=100)
    assert len(short) <= 102
    assert short.strip("…") in text or "…" in text
    parts = pieces(short, kept)
    assert "".join(piece for piece, _, _ in parts) == short
    assert all(piece for piece, _, _ in parts)


def test_long_passage_is_cut_around_its_evidence():
    text, evidence = cut("一" * 1000 + "政务公开" + "二" * 1000, [Evidence(1000, 1004, "政务公开", "lexicon")])
    assert len(text) <= 602
    assert text[evidence[0].start : evidence[0].end] == "政务公开"
    assert (text[0], text[-1]) == ("…", "…")


def test_lines_that_a_typesetter_broke_are_joined_between_han_characters_only():
    text = "行政许\n可实行网上监控 e-government\nservice"
    assert "行政许可实行网上监控 e-government\nservice</blockquote>" in render(
        data(quotes={"stage.open": [quote(text)]})
    )


def test_page_stays_small_whatever_comes():
    months = [f"{year}-{month:02d}" for year in range(1926, 2026) for month in range(1, 13)]
    rows = [(label.id, month, 9, 99, 9, 0.1, 0.05, 0.2) for label in CODEBOOK.labels for month in months]
    long = "政" * 200_000
    quotes = {
        label.id: [quote(long, (9, 99_999), title=long, source=long, path=long, heading=long)] * 5
        for label in CODEBOOK.labels
    }
    skipped = pd.DataFrame([Skipped(long, "ingest", long)] * 200)
    text = render(data(trends=trends(*rows), quotes=quotes, skipped=skipped))
    assert len(text.encode()) < 1_500_000


def test_probability_is_never_shown_as_certain():
    text = render(data(quotes={"stage.open": [quote("公開", probability=0.9996)]}))
    assert "<i>p</i> &gt; 0.99" in text


def test_card_shows_scores_by_label_and_its_limits():
    card = {
        "labels": ["stage.open", "stage.smart"],
        "cross_validation": {"macro_f1": 0.7, "f1": {"stage.open": 0.71234, "stage.smart": 0.6}},
        "limits": ["judged alone"],
        "labelled_by": "two readers",
    }
    text = render(data(card=card))
    assert '<td class="num">0.712</td>' in text
    assert "cross_validation：macro_f1 0.700" in text
    assert "judged alone" in text
    assert "two readers" in text


def test_groups_of_a_trend_get_charts_of_their_own():
    rows = trends(*[("stage.open", str(2000 + i), 20, 100, 10, 0.1, 0.05, 0.2) for i in range(3)])
    grouped = pd.concat([rows.assign(group=name) for name in ("CN", "TW")])
    text = render(data(trends=rows, grouped=grouped))
    assert text.count('<svg class="chart"') == 3
    assert "分组" in text


def test_counts_that_do_not_add_up_are_said_aloud():
    good = {"read": 5, "stored": 3, "duplicates": 1, "skipped": 1}
    assert "do not add up" not in render(data(counts=good))
    assert "do not add up" in render(data(counts=good | {"read": 6}))


def test_finding_and_chart_stand_on_the_page():
    rows = [("stage.open", str(2000 + i), 20, 100, 10, s, s - 0.02, s + 0.02) for i, s in enumerate((0.1, 0.2, 0.3))]
    text = render(data(trends=trends(*rows)))
    assert "rose from 10.0% (95% interval 8.0–12.0%, 20 documents) in 2000 to 30.0%" in text
    assert text.count('<svg class="chart"') == 2
    assert json.loads(re.search(r'id="trends-csv">(.*?)</script>', text)[1]).startswith("label,period")


def test_empty_corpus_makes_a_page_that_says_so():
    text = render(data(totals={"documents": 0, "passages": 0, "coded": 0, "characters": 0}))
    assert "The store holds no documents" in text
    assert "No trend to draw" in text
    assert "No passage carries a label" in text


def test_write_replaces_the_page_and_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "out" / "report.html"
    write(data(), path)
    write(data(title="第二次"), path)
    assert "第二次" in path.read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_render_is_the_same_every_time():
    assert render(data()) == render(data())


# gather, on a real store


def document(name, text, original=None, alignment=Alignment(), **changes):  # noqa: B008
    values = {"id": name, "path": f"{name}.txt", "member": 0, "sha256": "0", "original": original or text, "text": text}
    return Document(**(values | {"alignment": alignment, "script": "hans", "region": "CN", "format": "txt"} | changes))


def add(store, docs, passages, tags=(), evidence=()):
    columns = {name: [getattr(tag, name) for tag in tags] for name in TAGS.names}
    found = [dict(zip(EVIDENCE.names, row, strict=True)) for row in evidence]
    store.commit(
        Batch(
            documents_table(docs, "i"),
            passages_table(passages),
            pa.table(columns, schema=TAGS),
            pa.Table.from_pylist(found, schema=EVIDENCE),
            (Skipped("bad.pdf", "ingest", "a scan without a text layer"),),
        )
    )


def config():
    return Config("test", Path())


@pytest.fixture
def store():
    with Store.open(None) as opened:
        yield opened


def test_gather_of_an_empty_store_renders(store):
    found = gather(store, CODEBOOK, config())
    assert found.totals["documents"] == 0
    render(found)


def test_gather_quotes_the_original_with_evidence_on_its_ruler(store):
    original, text = "標題\n政府資料庫公開", "标题\n政府数据库公开"
    alignment = Alignment(((5, 2, 2),))
    doc = document("d1", text, original, alignment, script="hant", date="2014-05-01", title="標題", outlet="報社")
    passage = Passage("d1", 1, 3, 10, "body", "", text[3:10])
    tag = Tag("d1", 1, "stage.open", "classifier", 0.9, "yes", 3, 10)
    add(store, [doc], [passage], [tag], [("d1", 1, "stage.open", "lexicon", "公开", 8, 10)])
    (found,) = gather(store, CODEBOOK, config()).quotes["stage.open"]
    assert found.text == "政府資料庫公開"
    assert [(found.text[e.start : e.end], e.method) for e in found.evidence] == [("公開", "lexicon")]
    assert (found.title, found.source, found.date, found.script) == ("標題", "報社", "2014-05-01", "hant")


def test_gather_follows_an_alignment_that_changes_lengths(store):
    original, text = "用軟體庫公開資料", "用软件程序公开数据"
    doc = document("d1", text, original, Alignment(((1, 4, 3),)), script="hant")
    tag = Tag("d1", 0, "stage.open", "classifier", 0.9, "yes", 0, 9)
    add(
        store,
        [doc],
        [Passage("d1", 0, 0, 9, "body", "", text)],
        [tag],
        [("d1", 0, "stage.open", "lexicon", "公开", 5, 7)],
    )
    (found,) = gather(store, CODEBOOK, config()).quotes["stage.open"]
    assert found.text[found.evidence[0].start : found.evidence[0].end] == "公開"


def test_gather_takes_one_passage_a_document_a_text_and_a_cluster_of_reprints(store):
    docs = [document(f"d{i}", f"第{i}篇公开信息公开") for i in range(4)]
    docs.append(document("d4", "第3篇公开信息公开", title="另一篇"))
    passages = [
        Passage(doc.id, n, 4 * n, 4 * n + 4, "body", "", doc.text[4 * n : 4 * n + 4]) for doc in docs for n in (0, 1)
    ]
    tags = [
        Tag(p.doc_id, p.n, "stage.open", "classifier", 0.9 - 0.1 * int(p.doc_id[1]), "yes", p.start, p.end)
        for p in passages
        if p.n == 0
    ]
    add(store, docs, passages, tags)
    rows = [{"doc_id": "d0", "cluster": "c"}, {"doc_id": "d1", "cluster": "c"}]
    store.insert("reprints", pa.Table.from_pylist(rows, schema=REPRINTS))
    found = gather(store, CODEBOOK, config())
    assert [quote.path for quote in found.quotes["stage.open"]] == ["d0.txt", "d2.txt", "d3.txt"]
    assert found.reprints["documents"].tolist() == [2]


def test_gather_leaves_out_undecided_and_rejected_tags(store):
    passage = Passage("d1", 0, 0, 4, "body", "", "政务公开")
    tags = [Tag("d1", 0, "stage.open", "classifier", 0.5, decision, 0, 4) for decision in ("no", "abstain")]
    add(store, [document("d1", "政务公开")], [passage], tags)
    assert gather(store, CODEBOOK, config()).quotes == {}


def test_gather_counts_add_up_and_groups_name_the_unknown(store):
    add(store, [document("d1", "政务公开", region=None)], [Passage("d1", 0, 0, 4, "body", "", "政务公开")])
    found = gather(store, CODEBOOK, config())
    assert dict(found.counts) == {"stored": 1, "duplicates": 0, "skipped": 1}
    assert found.totals["undated"] == 1
    assert "未知 unknown" in render(found)
    assert "a scan without a text layer" in render(found)


def test_gather_topics_are_shares_of_passages_with_the_unassigned_last(store):
    docs = [document("d1", "政务公开数据共享", date="2001"), document("d2", "人工智能城市大脑", date="2002-03")]
    passages = [
        Passage(doc.id, n, 4 * n, 4 * n + 4, "body", "", doc.text[4 * n : 4 * n + 4]) for doc in docs for n in (0, 1)
    ]
    add(store, docs, passages)
    rows = [("d1", 0, 0, 0.9), ("d1", 1, -1, 0.0), ("d2", 0, 1, 0.8), ("d2", 1, 1, 0.7)]
    store.insert("topics", pa.Table.from_pylist([dict(zip(TOPICS.names, r, strict=True)) for r in rows], schema=TOPICS))
    terms = [(0, 0, "公开", 1.0), (1, 0, "智能", 1.0), (1, 1, "城市", 0.5)]
    store.insert(
        "topic_terms",
        pa.Table.from_pylist([dict(zip(TOPIC_TERMS.names, r, strict=True)) for r in terms], schema=TOPIC_TERMS),
    )
    topics = gather(store, CODEBOOK, config()).topics
    assert [(topic.topic, topic.share) for topic in topics] == [(1, 0.5), (0, 0.25), (-1, 0.25)]
    assert topics[0].periods == (("2001", 0.0), ("2002", 1.0))
    assert topics[0].quotes[0].text == "人工智能"


def dated(n, year, label=True):
    doc = document(f"d{n}", f"第{n}篇政务公开", date=f"{year}-05-01", region=("CN", "TW")[n % 2])
    passage = Passage(doc.id, 0, 0, len(doc.text), "body", "", doc.text)
    tags = [Tag(doc.id, 0, "stage.open", "classifier", 0.9, "yes", 0, len(doc.text))] if label else []
    return doc, passage, tags


def test_gather_makes_trends_of_its_own_where_none_are_given(store):
    parts = [dated(n, 2020 + n % 3, n % 2 == 0) for n in range(12)]
    add(store, [p[0] for p in parts], [p[1] for p in parts], [tag for p in parts for tag in p[2]])
    found = gather(store, CODEBOOK, config())
    assert found.trends[found.trends["label"] == "stage.open"]["tagged"].sum() == 6
    assert found.trends["documents"].max() == 4
    assert '<svg class="chart"' in render(found)


def test_grouped_trends_are_beside_the_whole_and_in_its_file(texts, tmp_path):
    pipeline.run([texts], out=tmp_path)
    plain = load()
    by_region = replace(plain, trends=replace(plain.trends, by=("region",)))
    with Store.open(tmp_path) as store:
        page = views.write_report(store, by_region, tmp_path / "page.html").read_text(encoding="utf-8")
        usual = views.write_report(store, plain, tmp_path / "usual.html").read_text(encoding="utf-8")
        table = views.trends(store, by_region).to_csv(index=False)
    assert table.splitlines()[0] in page
    assert "region" in table.splitlines()[0]
    head = re.compile(r'<summary class="label-head">.*?</summary>', re.DOTALL)
    assert head.findall(page) == head.findall(usual)


def test_copies_of_one_text_make_no_claim():
    table = pd.DataFrame(
        [
            {"label": "a", "period": str(year), "documents": 6, "clusters": 1, "passages": 60, "tagged": tagged}
            | {"share": tagged / 60, "low": tagged / 60 - 0.01, "high": tagged / 60 + 0.01}
            for year, tagged in ((2019, 1), (2020, 50))
        ]
    )
    assert all(point.thin for point in charts.series(table, "a", name="a").points)


def test_topics_of_reprints_count_once():
    table = pd.DataFrame({"doc_id": list("abcd"), "topic": [0, 0, 1, 1], "n": [10, 10, 10, 10], "unit": [0, 0, 2, 3]})
    apart = _topic_shares(table.assign(unit=range(4)), 0.95)[0]
    assert _topic_shares(table, 0.95)[0][2] > apart[2]


def test_what_is_left_open_is_said(store):
    found = gather(store, CODEBOOK, config(), trends=trends(("stage.open", "2020", 9, 90, 9, 0.1, 0.05, 0.2)))
    assert "未决" not in render(found)
    assert "7 段未决" in render(replace(found, trends=found.trends.assign(abstained=7)))


@pytest.mark.parametrize(("rule", "documents"), [("once", 1), ("each", 2)])
def test_gather_counts_reprints_by_the_rule_of_the_config(store, rule, documents):
    parts = [dated(0, 2020), dated(1, 2020)]
    add(store, [p[0] for p in parts], [p[1] for p in parts], [tag for p in parts for tag in p[2]])
    rows = [{"doc_id": "d0", "cluster": "c"}, {"doc_id": "d1", "cluster": "c"}]
    store.insert("reprints", pa.Table.from_pylist(rows, schema=REPRINTS))
    found = gather(store, CODEBOOK, replace(config(), trends=TrendsConfig(reprints=rule)))
    assert found.trends["documents"].unique().tolist() == [documents]


def test_gather_quotes_headings_as_they_were_written(store):
    doc = document("d1", "公开资料\n政府公开信息", "公開資料\n政府公開資訊", script="hant")
    passages = [
        Passage("d1", 0, 0, 4, "heading", "", "公开资料"),
        Passage("d1", 1, 5, 11, "body", "公开资料", "政府公开信息"),
    ]
    add(store, [doc], passages, [Tag("d1", 1, "stage.open", "classifier", 0.9, "yes", 5, 11)])
    assert gather(store, CODEBOOK, config()).quotes["stage.open"][0].heading == "公開資料"


def test_gather_spreads_quotes_over_scripts_and_decades(store):
    docs = [document(f"d{i}", f"第{i}篇信息公开", date="2021", script="hans") for i in range(8)]
    docs.append(document("t1", "台湾信息公开", date="2015", script="hant"))
    docs.append(document("h1", "较早信息公开", date="2005", script="hans"))
    passages = [Passage(d.id, 0, 0, len(d.text), "body", "", d.text) for d in docs]
    chance = {"t1": 0.97, "h1": 0.96}
    tags = [Tag(d.id, 0, "stage.open", "classifier", chance.get(d.id, 0.99), "yes", 0, len(d.text)) for d in docs]
    add(store, docs, passages, tags)
    found = [quote.path for quote in gather(store, CODEBOOK, config()).quotes["stage.open"]]
    assert found[0] == "d0.txt"
    assert {"t1.txt", "h1.txt"} <= set(found)
