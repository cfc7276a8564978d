"""Every encoding that Chinese texts come in is told from the bytes; nothing is replaced in silence."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policytext.errors import ReadError
from policytext.ingest import encodings

CASES = Path(__file__).parents[2] / "shared" / "cases" / "encodings"
SIMPLIFIED = "为推进数字政府建设，提高政务服务效率，现就有关事项通知如下。"
TRADITIONAL = "為推動數位政府，提高服務效率，茲訂定本辦法。臺灣與香港的機關應公開資料。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_simplified_text_is_told(encoding):
    found = encodings.decode((SIMPLIFIED + "\n2021").encode(encoding))
    assert (found.text, found.encoding) == (SIMPLIFIED + "\n2021", encoding)


@pytest.mark.parametrize("encoding", ["big5", "big5hkscs", "cp950"])
def test_traditional_text_in_big5_is_told(encoding):
    found = encodings.decode(TRADITIONAL.encode(encoding))
    assert found.text == TRADITIONAL
    assert found.certainty > 0.6


def test_traditional_text_in_gb18030_is_not_taken_for_big5():
    assert encodings.decode(TRADITIONAL.encode("gb18030")).text == TRADITIONAL


def test_declared_charset_does_not_win_over_evidence():
    assert encodings.decode(TRADITIONAL.encode("big5"), declared="gb2312").encoding == "big5"
    assert encodings.decode(SIMPLIFIED.encode(), declared="big5").encoding == "utf-8"


def test_line_ends_stay_and_a_mark_goes():
    assert encodings.decode("\ufeff甲。\r\n乙。\n".encode()).text == "甲。\r\n乙。\n"


def test_broken_bytes_are_counted_in_a_note():
    data = (SIMPLIFIED * 20).encode()
    found = encodings.decode(data[:100] + data[101:])
    assert "\ufffd" in found.text
    assert any("broken" in note for note in found.notes)
    assert found.certainty < 0.7


def test_replacement_characters_of_the_source_are_noted():
    assert "1 replacement character" in encodings.decode(f"{SIMPLIFIED}\ufffd".encode()).notes[0]


def test_null_bytes_go_with_a_note_and_binary_is_refused():
    found = encodings.decode((SIMPLIFIED * 5).encode() + b"\x00")
    assert found.text == SIMPLIFIED * 5
    assert found.notes == ("1 control character left out",)
    with pytest.raises(ReadError, match=r"binary|encoding"):
        encodings.decode(bytes(range(256)) * 10)


@given(st.binary(max_size=400))
def test_any_bytes_are_text_or_refused(data):
    try:
        found = encodings.decode(data)
    except ReadError:
        return
    assert 0 <= found.certainty <= 1
    assert "\x00" not in found.text


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases/encodings")
def test_every_case_of_the_manifest_decodes_to_the_very_text():
    cases = [case for case in json.loads((CASES / "MANIFEST.json").read_text(encoding="utf-8")) if case.get("file")]
    wrong = []
    for case in cases:
        text = encodings.decode((CASES / case["file"]).read_bytes()).text
        if hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() != case["sha1_utf8"]:
            wrong.append(case["file"])
    assert not wrong
