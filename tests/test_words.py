"""Words tile the text, with either engine, and domain words stay whole."""

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
