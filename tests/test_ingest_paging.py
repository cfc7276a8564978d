"""Page numbers and running heads go; figures of tables at the edge of a page stay."""

import pytest

from policytext.ingest.paging import without_running_lines


def pages(*bodies: str) -> list[str]:
    return [f"北京市人民政府公报 2021年第3期\n{body}\n{i + 7}" for i, body in enumerate(bodies)]


def test_heads_and_numbers_that_count_with_the_pages_go():
    found, left = without_running_lines(pages("甲", "乙\n340", "2021\n丙"))
    assert found == ["甲", "乙\n340", "2021\n丙"]
    assert left == ["北京市人民政府公报 2021年第3期"]


def test_two_pages_run_through_nothing_and_a_lone_figure_stays():
    assert without_running_lines(["表一\n120\n340", "2021\n说明"]) == (["表一\n120\n340", "2021\n说明"], [])
    assert without_running_lines(["正文\n- 3 -", "正文二\n第4页 共5页"])[0] == ["正文", "正文二"]
    assert without_running_lines(["正文\n1"])[0] == ["正文"]
    assert without_running_lines(["", "正文"]) == (["", "正文"], [])


def test_head_and_foot_of_two_lines_go():
    found, left = without_running_lines(
        [f"公报 · {i + 7}\n2021年第3期\n正文{'甲乙丙丁'[i]}\n内部资料\n第{i}页" for i in range(4)]
    )
    assert found == ["正文甲", "正文乙", "正文丙", "正文丁"]
    assert left == ["公报 · 7", "2021年第3期", "内部资料"]


@pytest.mark.parametrize(
    "lines",
    [
        ["附件1", "附件2", "附件3"],
        ["第1章 总则", "第2章 总则", "第3章 总则"],
        ["合计 12.5 30.1", "合计 1.5 3.1", "合计 2.5 9.1"],
        ["1.1 2.5", "3.3 4.1", "5.5 6.0"],
        ["2021年5月1日", "2021年5月1日", "2021年5月1日"],
    ],
)
def test_lines_of_the_document_stay(lines):
    bodies = ("正文甲", "正文乙", "正文丙")
    for pairs in (zip(lines, bodies, strict=True), zip(bodies, lines, strict=True)):
        given = ["\n".join(pair) for pair in pairs]
        assert without_running_lines(given) == (given, [])
