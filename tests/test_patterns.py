"""The pattern layer counts what it says it counts."""

from pathlib import Path

import numpy as np
import pytest

from policytext import codebook
from policytext.codebook import Codebook, Dimension, Flag, Group, Label, Relation
from policytext.tag.patterns import Patterns

DEFAULT = Path(__file__).parents[1] / "configs" / "codebooks" / "digital_government.toml"
GROUPS = (
    Group("tools", ("平台", "系统", "信息系统")),
    Group("gain", ("提高|提升 ..8 效率", "便民")),
    Group("firm", ("企业",)),
)


def layer(*relations, groups=GROUPS, flags=()):
    return Patterns(Codebook("c", "1", "c", "c", (), (), groups=groups, relations=relations, flags=flags))


def value(patterns, text, name):
    return patterns.matrix([text])[0, patterns.names.index(name)]


@pytest.mark.parametrize(
    ("name", "count"),
    [("group.tools", 3), ("group.tools.terms", 2), ("group.tools.clause", 2), ("group.gain", 1), ("group.firm", 0)],
)
def test_groups_pool_their_terms(name, count):
    assert value(layer(), "平台和信息系统，平台提高效率。", name) == count


@pytest.mark.parametrize(
    ("within", "text", "count"),
    [
        ("clause", "平台便民，系统，便民", 1),
        ("clause", "平台便民；系统便民", 2),
        ("sentence", "平台，便民。系统。便民", 1),
        ("passage", "平台。便民", 1),
        ("passage", "平台", 0),
    ],
)
def test_relations_hold_within_their_scope(within, text, count):
    assert value(layer(Relation("r", ("@tools", "@gain"), within=within)), text, "relation.r") == count


def test_a_relation_fails_where_something_it_excludes_occurs():
    patterns = layer(Relation("r", ("@tools",), ("@firm|公司",)))
    assert [value(patterns, text, "relation.r") for text in ("平台", "企业平台", "公司系统", "公司。系统")] == [
        1,
        0,
        0,
        1,
    ]


def test_parts_of_relations_join_groups_and_strings():
    patterns = layer(Relation("r", ("@tools|网站", "@gain")))
    assert value(patterns, "网站便民。平台便民", "relation.r") == 2


def test_flags_look_at_the_start_only():
    patterns = layer(flags=(Flag("article", "第.条"),))
    assert [value(patterns, text, "flag.article") for text in ("第一条 应当", "见第一条")] == [1, 0]


@pytest.mark.parametrize(("text", "sizes"), [("", (0, 0, 0)), ("一，二。三", (5, 3, 2)), ("一", (1, 1, 1))])
def test_sizes(text, sizes):
    assert tuple(layer().matrix(["平台。便民，", text, "企业"])[1, -3:]) == sizes


def test_rows_do_not_depend_on_their_neighbours():
    patterns = Patterns(codebook.load(DEFAULT))
    texts = ["", "。平台，", "政务公开，接受社会监督", "，", "系统对接\n数据共享", "", "第三条 应当"] * 2
    together = patterns.matrix(texts)
    assert np.array_equal(together, np.concatenate([patterns.matrix([text]) for text in texts]))
    assert not together[0].any()


def test_no_texts_no_rows():
    patterns = layer()
    assert patterns.matrix([]).shape == (0, len(patterns.names))


def test_bag_tells_terms_apart():
    patterns = layer(Relation("r", ("@tools|网站",)))
    bag = patterns.bag(["平台平台便民", "", "网站"])
    assert patterns.term_names == (
        "tools: 平台",
        "tools: 系统",
        "tools: 信息系统",
        "gain: 提高|提升 ..8 效率",
        "gain: 便民",
        "firm: 企业",
    )
    assert bag.toarray().tolist() == [[1, 0, 0, 0, 1, 0], [0] * 6, [0] * 6]
    assert patterns.bag([]).shape == (0, 6)


def test_hits_are_evidence_with_offsets():
    text = "平台提高办事效率"
    hits = layer().hits(text)
    assert [(hit.group, text[hit.start : hit.end]) for hit in hits] == [("tools", "平台"), ("gain", "提高办事效率")]


def test_counts_of_groups_equal_hits():
    patterns = Patterns(codebook.load(DEFAULT))
    text = "通过政务服务平台申请，由部门共享数据核验，提高审批效率，结果向社会公开，接受社会监督。"
    row = patterns.matrix([text])[0]
    counted = {group.id: row[patterns.names.index(f"group.{group.id}")] for group in patterns.groups}
    hits = [hit.group for hit in patterns.hits(text)]
    assert counted == {group: hits.count(group) for group in counted}
    assert hits


def test_evidence_names_the_label_that_a_group_speaks_for():
    groups = (
        Group("gain", ("提高 .. 效率",), label="d.gain"),
        Group("more", ("效率", "质量"), label="d.gain"),
        Group("firm", ("企业",), against="d.gain"),
        Group("plain", ("平台",)),
    )
    label = Label("d.gain", "g", "g", "", "")
    patterns = Patterns(Codebook("c", "1", "c", "c", (Dimension("d", "d", "d"),), (label,), groups=groups))
    texts = ["", "企业平台提高效率", "质量"]
    hits = patterns.evidence(texts)
    spans = zip(hits.text.tolist(), hits.start.tolist(), hits.end.tolist(), strict=True)
    assert [texts[text][start:end] for text, start, end in spans] == ["提高效率", "质量"]
    assert [hits.labels[label] for label in hits.label.tolist()] == ["d.gain", "d.gain"]
    assert len(patterns.evidence([])) == 0
