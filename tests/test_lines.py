"""Lines in, lines out: what is JSON, what is text, what is nothing."""

import pytest

from policytext import lines
from policytext.config import load

TEXT = "推进一网通办，让数据多跑路。"


def test_blank_lines_before_and_among_json_say_nothing():
    found = list(lines.rows(["\ufeff\n", " \n", '{"text": "甲"}\n', "\n", '{"id": 5, "text": "乙"}\n', "x\n"]))
    assert [row["id"] for row in found] == ["3", 5, None]
    assert "line 6 is not JSON" in found[2]["error"]


def test_blank_lines_of_plain_text_are_passages_without_text():
    found = list(lines.rows(["\n", "甲\n", "\n", '{"text": "乙"}\n', ""]))
    assert [row["text"] for row in found] == ["", "甲", "", '{"text": "乙"}', ""]
    assert [row["id"] for row in found] == ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize("given", [[], ["\n"], ["\n", " \n"]])
def test_nothing_but_blank_lines_is_plain_text(given):
    assert [row["id"] for row in lines.rows(given)] == [str(n) for n, _ in enumerate(given, 1)]


def test_a_surrogate_breaks_no_offsets():
    found = next(lines.tag_all([f"\ud800\udc00{TEXT}"], load(None)))
    assert found["labels"] == ["stage.informatization"]
    for hit in found["evidence"]:
        assert f"\ufffd\ufffd{TEXT}"[hit["start"] : hit["end"]] == hit["quote"]
