"""Where a document comes from: mainland, Taiwan, Hong Kong or Macao."""

from __future__ import annotations

import re

from policytext.ingest import issuers

_TAIWAN = (
    "行政院|立法院|司法院|考試院|監察院|中華民國|臺灣|台灣|臺北|台北|新北|桃園|臺中|台中|臺南|台南|高雄|基隆|新竹|苗栗|彰化|南投|"
    "雲林|嘉義|屏東|宜蘭|花蓮|臺東|台東|澎湖|金門|連江|數位發展部|內政部|法務部|衛生福利部|經濟部|教育部|國家發展委員會|僑務委員會|中央社|"
    "台灣|台湾|臺湾"
)
_HONG_KONG = "香港|港府|立法會|施政報告|行政長官|政務司|創新科技及工業局|區議會|九龍|新界"
_MACAO = "澳門|澳门"
_MAINLAND = (
    "我国|国务院|人民政府|党中央|全国|全省|全市|我市|我省|省委|市委|县委|区委|党委|党组|党支部|市政府|省政府|县政府|区政府|"
    "街道办|居委会|村委会|社区居民委员会|公安|派出所|人大代表|政协委员|机关干部|信息化"
)
_TRADITIONAL = re.compile(
    "[這個們會國為說對過時實現產業門問當動務機後經發與學開關區東車長書見話從應該無萬電運傳勞據總議權辦證職選費領調環導際療險還嗎麼裡給請灣縣]"
)
_SIMPLIFIED = re.compile(
    "[这个们会国为说对过时实现产业门问当动务机后经发与学开关区东车长书见话从应该无万电运传劳据总议权办证职选费领调环导际疗险还吗么里给请湾县]"
)
_CODES = {
    "CN": ("cn", "china", "mainland", "大陆", "大陸", "中国", "中國", "中国大陆", "中國大陸", "内地", "內地"),
    "TW": ("tw", "taiwan", "台湾", "台灣", "臺灣"),
    "HK": ("hk", "hongkong", "hong kong", "香港"),
    "MO": ("mo", "macao", "macau", "澳门", "澳門"),
}
_HEAD = 1_500


def code(declared: str | None) -> str | None:
    """Return a declared region as CN, TW, HK or MO; the name of a province stays as it is.

    >>> code("臺灣"), code("cn"), code("浙江省"), code(None)
    ('TW', 'CN', '浙江省', None)
    """
    if declared is None:
        return None
    return next((code for code, names in _CODES.items() if declared.lower() in names), declared)


def guess(text: str, issuer: str | None, outlet: str | None, url: str | None) -> str | None:
    """Return CN, TW, HK or MO from issuer and outlet, the address, then script and wording; None if nothing tells."""
    head = text[:_HEAD]
    traditional = is_traditional(head)
    named = f"{issuer or ''} {outlet or ''}"
    for region, pattern in (("HK", r"香港|行政長官"), ("MO", r"澳門特別|澳门特别")):
        if re.search(pattern, named):
            return region
    if traditional and re.search(r"行政院|立法院|中華民國|臺|台灣|數位發展部|總統|中央社", named):
        return "TW"
    if url and (match := re.match(r"https?://[^/]*\.(tw|hk|mo|cn)(?:[:/]|$)", url)):
        return match[1].upper()
    if issuer and not traditional and issuers.level(issuer):
        return "CN"
    return _by_wording(head, traditional=traditional)


def is_traditional(text: str) -> bool:
    """Say whether a text is written in traditional characters."""
    return len(_TRADITIONAL.findall(text)) > len(_SIMPLIFIED.findall(text))


def _by_wording(head: str, *, traditional: bool) -> str | None:
    if not traditional:
        return "CN" if re.search(_MAINLAND, head) else None
    counts = {code: len(re.findall(p, head)) for code, p in (("TW", _TAIWAN), ("HK", _HONG_KONG), ("MO", _MACAO))}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] >= 2 and counts[best] >= 2 * sorted(counts.values())[-2] else None
