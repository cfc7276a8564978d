"""Words tile the text, with either engine, and domain words stay whole."""

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest

from policytext.config import SegmentConfig
from policytext.errors import ConfigError
from policytext.segment import words

TEXTS = ["从数字赋能到数字赋权，城市大脑一网通办。", "A/B测试 3.5%\t\r\n　完", "😀〇𠮷\ud800", ""]


@pytest.fixture(scope="module", params=["rjieba", "jieba"])
def cut(request):
    return words.cutter(SegmentConfig(engine=request.param), ["数字赋权", "一网通办"])


@pytest.mark.parametrize("text", TEXTS)
def test_words_tile_the_text(cut, text):
    assert "".join(cut(text)) == text


def test_domain_words_stay_whole(cut):
    assert {"数字赋权", "一网通办"} <= set(cut(TEXTS[0]))


def test_load_reads_one_word_a_line(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("# ours\n数字政府\n\n城市大脑 # one\n", encoding="utf-8")
    assert words.load(path) == ("数字政府", "城市大脑")


def test_missing_word_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"words\.txt"):
        words.load(tmp_path / "words.txt")


CORPORA = Path(__file__).parents[2] / "shared" / "corpora"


def boundaries(cut):
    place, places = 0, set()
    for word in cut[:-1]:
        place += len(word)
        places.add(place)
    return places


@pytest.mark.skipif(not CORPORA.exists(), reason="the texts (../shared/corpora) are not here")
@pytest.mark.parametrize("name", ["cn_statecouncil_docs", "cn_news_xwlb", "cn_cpc_congress"])
def test_boundaries_between_han_characters_agree_with_jieba(name):
    ours, reference = (words.cutter(SegmentConfig(engine=engine), ["数字政府"]) for engine in ("rjieba", "jieba"))
    with gzip.open(CORPORA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as rows:
        text = "".join(json.loads(row)["text"] for row in islice(rows, 20))[:30_000]
    differ = boundaries(ours(text)) ^ boundaries(reference(text))
    assert not [place for place in differ if all("\u4e00" <= mark <= "\u9fff" for mark in text[place - 1 : place + 1])]
