"""Which script a text is in, and which region's words it uses."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from policytext import dictionaries
from policytext.convert.chains import Variant
from policytext.convert.stages import CODE_POINTS, Codes, Stage, compiled, encode, matches
from policytext.records import Script

HANS, HANT, KANA, HAN = range(1, 5)  # kinds of characters
_SAMPLE = 20_000  # characters that decide the region; marks are frequent, so more would only cost time

# Forms of characters and everyday words of public texts that only some regions write. The key says which: Taiwan,
# Hong Kong, neither.
_MARKS = {
    "100": "臺 縣 網路 軟體 硬體 數位 計畫 行政院 立法院 民國 部會 品質 資料庫 人工智慧 大陸 回饋 夥伴 主管機關 訂定"
    " 本法 教育部 經濟部 內政部 公聽會 政委 平臺 機關 公務人員 里長 鄉鎮 業者 部長 次長 院長 國發會 滾動 專案 簡訊"
    " 行動裝置 影片 列印 規畫 建置",
    "010": "綫 衞 説 嘅 喺 佢 咁 啲 唔 冇 咗 嚟 香港 特區 立法會 區議會 行政長官 特首 司長 私隱 港元 港幣 港府 港鐵"
    " 港人 港股 本港 來港 在港 資訊科技 質素 公屋 邨 持份者 警務處 條例草案 樓宇 諮詢文件",
    "001": "爲 信息 智能 質量 國務院 項目 黨中央 互聯網 計算機 程序 視頻 信息化 科學發展 鄉村 省 縣級 公安 我國",
    "110": "資訊 程式 透過 伺服器 為 裡 資料 電郵 著 啟",
    "011": "網絡 數據 軟件 硬件 計劃 着 移動",
}

# Words that tell a text of Taiwan or Hong Kong in simplified characters (converted, or written for readers elsewhere)
# from one of the mainland. The figures are votes, as above: two for what 13 million characters of mainland laws,
# reports, notices and news never hold, one for what they hold now and then, or for the mainland.
_SIMPLIFIED_MARKS = {
    "200": "网路 硬体 资讯公开 政府资讯 资讯系统 资讯安全 资讯人员 资讯单位 资讯处 资讯业 资通讯 资通安全 网际网路"
    " 资料集 开放资料 人工智慧 国发会 伺服器 公听会 列印 行动装置 立法委员 数位发展部 审议式 演算法 巨量资料 课责",
    "100": "数位 程式 资料库 简讯 行政院 立法院",
    "020": "资讯科技 资讯保安 私隐 持份者 流动应用程式 政府资料 公营机构 网志 手机程式 电脑程式 港府 区议员 质素",
    "010": "创科 特区政府 特首 立法会议员 区议会 本港 个人资料",
    "001": "信息 智能 质量 国务院 项目 党中央 互联网 计算机 程序 视频 软件 硬件 数据库 用户 网络 反馈 渠道 短信"
    " 服务器 打印 我国 算法 知情权",
}

# Characters that simplified text writes too: those of GB 2312, and in names those that the standard of 2013 took back.
_IN_NAMES = frozenset("昇陞迺祇氾仝甯邨犇龢甦堃喆淼菉筦鉅璿燿珮劼崐彝勳")


class Counts(NamedTuple):
    """How many characters only simplified text has, only traditional text has, and how many are kana or other Han."""

    hans: int
    hant: int
    kana: int
    han: int


def detect(text: str) -> tuple[Script, Variant]:
    """Return the script of a text and the chain that suits it.

    Characters that only one script has decide the script: `mixed` where each makes a tenth. The forms and words that
    only one region uses decide between Taiwan (tw2sg), Hong Kong (hk2sg) and neither (t2s). Text with much kana is
    Japanese: it has no script here, and its kanji stay.

    >>> detect("行政院推動資訊公開"), detect("国务院推动信息公开")
    (('hant', 'tw2sg'), ('hans', 'none'))
    """
    counts = count(encode(text))
    script = script_of(counts)
    return script, (region(text) if script in ("hant", "mixed") else "none")


def count(codes: Codes) -> Counts:
    """Count the kinds of characters."""
    kind = kinds().take(codes)
    return Counts(*(int(np.count_nonzero(kind == wanted)) for wanted in (HANS, HANT, KANA, HAN)))


def script_of(counts: Counts) -> Script:
    """Return the script that the counts speak for."""
    telling = counts.hans + counts.hant
    if not telling or counts.kana * 5 > telling + counts.han:
        return "none"
    share = counts.hant / telling
    return "hans" if share < 0.1 else "hant" if share > 0.9 else "mixed"


def traditional_lines(codes: Codes) -> list[bool]:
    """Say of each line whether it is to be converted: at least a fifth of its telling characters are traditional."""
    line = np.cumsum(codes == ord("\n"))
    total = int(line[-1]) + 1 if len(line) else 1
    kind = kinds()[codes]
    hans, hant, kana = (np.bincount(line[kind == wanted], minlength=total) for wanted in (HANS, HANT, KANA))
    chosen: list[bool] = ((hant > 0) & (hant * 4 >= hans) & (kana <= hant)).tolist()
    return chosen


@cache
def kinds() -> npt.NDArray[np.uint8]:
    """Return code point -> kind: 1 only simplified, 2 only traditional, 3 kana, 4 other Han, 0 anything else."""
    to_simplified, to_traditional = dictionaries.load("TSCharacters"), dictionaries.load("STCharacters")
    several = dictionaries.alternatives("STCharacters") | dictionaries.alternatives("TSCharacters")
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    for first, last, kind in ((0x3400, 0xA000, HAN), (0x20000, 0x33480, HAN), (0x3041, 0x3100, KANA)):
        table[first:last] = kind
    for kind, pairs, others in ((HANS, to_traditional, to_simplified), (HANT, to_simplified, to_traditional)):
        for key, value in pairs.items():
            if key != value and key not in several.get(key, ()) and key not in others:
                table[ord(key)] = kind if kind == HANS or not _is_simplified_too(key) else HAN
    return table


def _is_simplified_too(mark: str) -> bool:
    try:
        mark.encode("gb2312")
    except UnicodeEncodeError:
        return mark in _IN_NAMES
    return True


def region(text: str) -> Variant:
    """Return the chain for the region whose forms and words a traditional text uses; t2s where none stands out."""
    taiwan, hong_kong, other = _votes(text, _marks())
    if max(taiwan, hong_kong) <= other:
        return "t2s"
    return "tw2sg" if taiwan >= hong_kong else "hk2sg"


def simplified_region(text: str) -> Variant:
    """Return twg or hkg for simplified text that speaks like Taiwan or Hong Kong more than like the mainland.

    >>> simplified_region("政府资讯公开与资料库"), simplified_region("政府信息公开与数据库")
    ('twg', 'none')
    """
    taiwan, hong_kong, other = _votes(text, _simplified_marks())
    if max(taiwan, hong_kong) <= max(other, 1):
        return "none"
    return "twg" if taiwan >= hong_kong else "hkg"


def _votes(text: str, marks: Stage) -> list[int]:
    """Return how much the start of a text speaks for Taiwan, for Hong Kong, and for neither."""
    sample = text[:_SAMPLE]
    found = Counter(votes for _, _, votes in matches(marks, sample, encode(sample)))
    return [sum(count * int(votes[i]) for votes, count in found.items()) for i in range(3)]


@cache
def _marks() -> Stage:
    """Return the marks of regions, compiled: mark -> the regions that write it."""
    return _compiled_marks(_MARKS)


@cache
def _simplified_marks() -> Stage:
    return _compiled_marks(_SIMPLIFIED_MARKS)


def _compiled_marks(table: dict[str, str]) -> Stage:
    rows = [(mark, regions) for regions, marks in table.items() for mark in marks.split()]
    return compiled({}, sorted(rows, key=lambda row: (-len(row[0]), row)))
