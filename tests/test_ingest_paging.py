"""Page numbers and running heads go; figures of tables at the edge of a page stay."""

from policytext.ingest.paging import without_running_lines


def pages(*bodies: str) -> list[str]:
    return [f"北京市人民政府公报 2021年第{i}期\n{body}\n{i + 7}" for i, body in enumerate(bodies)]


def test_heads_and_numbers_that_count_with_the_pages_go():
    found, left = without_running_lines(pages("甲", "乙\n340", "2021\n丙"))
    assert found == ["甲", "乙\n340", "2021\n丙"]
    assert left == ["北京市人民政府公报 2021年第0期"]


def test_two_pages_run_through_nothing_and_a_lone_figure_stays():
    assert without_running_lines(["表一\n120\n340", "2021\n说明"]) == (["表一\n120\n340", "2021\n说明"], [])
    assert without_running_lines(["正文\n- 3 -", "正文二\n第4页 共5页"])[0] == ["正文", "正文二"]
    assert without_running_lines(["正文\n1"])[0] == ["正文"]
    assert without_running_lines(["", "正文"]) == (["", "正文"], [])


def test_head_and_foot_of_two_lines_go():
    found, left = without_running_lines(
        [f"公报\n2021年第{i}期\n正文{'甲乙丙丁'[i]}\n内部资料\n第{i}页" for i in range(4)]
    )
    assert found == ["正文甲", "正文乙", "正文丙", "正文丁"]
    assert left == ["公报", "2021年第0期", "内部资料"]
