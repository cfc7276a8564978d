"""What must hold for every text: alignment round trips, passages and words tile, nothing is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policytext import convert
from policytext.config import ConvertConfig, SegmentConfig
from policytext.records import CODED_KINDS, Document
from policytext.segment import Segmenter

WORDS = [
    "資訊",
    "網際網路",
    "程式",
    "軟體",
    "數位",
    "著作",
    "乾隆",
    "頭髮",
    "一、",
    "（一）",
    "第一章",
    "。",
    "，",
    "：",
    "\n",
    "\n\n",
    "\u3000",
    "\t",
    "😀",
    "〇",
    "⿰馬馬",
    "埠",
    "裡面",
    "为",
    "A1",
    "唐鳳：",
    "\r\n",
    "１２",
    "\u200b",
    " ",
]
TEXTS = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=40).map("".join)
GONE = {
    chr(code) for code in range(0x10000) if not chr(code).isprintable() or chr(code) == " "
}  # what tidying may drop
SEGMENTER = Segmenter(SegmentConfig(max_passage_chars=30))


def document(text):
    return Document(id="a", path="a.txt", member=0, sha256="", original=text, text=text)


@pytest.mark.parametrize("variant", ["auto", "t2s", "tw2s", "tw2sp", "hk2s", "hk2sp"])
@given(text=TEXTS)
@settings(max_examples=150, deadline=None)
def test_alignment_covers_both_texts(variant, text):
    doc = convert.simplify(document(text), ConvertConfig(variant=variant))
    assert doc.original == text
    assert doc.alignment.to_text(0, len(text)) == (0, len(doc.text))
    done = 0
    for place in range(len(doc.text)):
        start, end = doc.alignment.to_original(place, place + 1)
        assert 0 <= start <= end <= len(text)
        assert start <= done or all(mark in GONE for mark in text[done:start])
        again = doc.alignment.to_text(start, end)
        assert again[0] <= place < again[1] or start == end
        done = max(done, end)


@given(text=TEXTS)
@settings(max_examples=300, deadline=None)
def test_passages_and_words_tile(text):
    doc = convert.simplify(document(text), ConvertConfig())
    done = 0
    for n, passage in enumerate(SEGMENTER.split(doc)):
        assert passage.n == n
        assert passage.start >= done
        assert not doc.text[done : passage.start].strip()
        assert doc.text[passage.start : passage.end] == passage.text == "".join(passage.words)
        assert passage.kind in (*CODED_KINDS, "heading", "table", "short", "boilerplate")
        done = passage.end
    assert not doc.text[done:].strip()
