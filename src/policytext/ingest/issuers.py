"""Who issued a document: organs recognised by their names, and their level."""

from __future__ import annotations

import re

_SUFFIX = (
    "委员会|委員會|人民政府|政府|国务院|國務院|行政院|立法院|司法院|考試院|監察院|军委|军委会|中共中央|党委|党组|省委|市委|区委|县委|州委|旗委|"
    "地委|工委|纪委|监委|政协|人大|办公厅|办公室|总局|局|厅|廳|部|署|司|处|處|院|会|會|公司|中心|领导小组|小组|指挥部|银行|總統|总统|行政長官|行政长官|"
    "总队|支队|大队|法院|检察院|大学|学院|学校|集团|协会|学会|海关|所|站|办|府|科|台|会议|會議|社|馆|館|校|联合会|总工会|妇联|团委|管委会|"
    "组委会|监狱|联席会议|警备区|军区|兵团|团|总会|基金会|法制办|外办|编办"
)
_ORGAN = re.compile(rf"[\u4e00-\u9fff（）()“”·〈〉《》\dA-Z]{{0,44}}(?:{_SUFFIX})")
_SENTENCE = re.compile(r"\d+号|[路街道]\d|[。；：，！？,;:!?]|关于|關於|的通知|现将|如下|特此|请|為|为(?!民)")
_BEFORE_TITLE = re.compile(
    r"(?P<who>.{2,90}?)(?P<more>等\s*(?:[\d一二三四五六七八九十]+\s*个?)?\s*(?:部门|单位|部門|單位|机关))?\s*"
    r"(?:关于|關於|印发|印發|转发|轉發|批转|批轉|发布|發布|公布|对(?=.{2,40}(?:答复|批复|回复))|公告|通告|通报|令(?:第|$)|施政報告|二零.{2}年施政報告)"
)
_NAMES = """北京 天津 河北 山西 内蒙古 辽宁 吉林 黑龙江 上海 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 海南
    重庆 四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆"""
_PROVINCES = tuple(_NAMES.split())
_MUNICIPALITIES = ("北京", "天津", "上海", "重庆")


def is_organ(line: str) -> bool:
    """Say whether a line names an organ, as signatures do.

    >>> is_organ("北京市人民政府办公厅"), is_organ("市长　殷勇"), is_organ("各区人民政府：")
    (True, False, False)
    """
    plain = "".join(line.split())
    if not 2 <= len(plain) <= 50 or plain[0] in "各第附（(一二三四五六七八九" or _SENTENCE.search(plain):
        return plain.startswith("第") and re.search(r"(?:届|屆).{2,30}(?:会议|會議|委员会|大会)$", plain) is not None
    return _ORGAN.fullmatch(plain) is not None


def organs(line: str) -> list[str]:
    """Return the organs that a line names, set apart by white space or 、; empty if it is no such line.

    >>> organs("国务院　中央军委"), organs("特此通知。")
    (['国务院', '中央军委'], [])
    """
    if len(line) > 300:
        return []
    parts = [part for part in re.split(r"[\s、]+", line.strip()) if part]
    if len(parts) > 1 and all(is_organ(part) for part in parts):
        return parts
    whole = "".join(parts) if len(parts) > 1 else line.strip()
    if is_organ(whole):
        return [whole]
    return []


def from_title(title: str) -> tuple[str | None, bool]:
    """Return the issuer that a title begins with, and whether the title says that there are more.

    >>> from_title("中共中央 国务院关于加强基层治理的意见")
    ('中共中央、国务院', False)
    >>> from_title("北京市商务局等部门关于开展试点的函")
    ('北京市商务局', True)
    """
    match = _BEFORE_TITLE.match(title.strip())
    if match is None:
        return None, False
    found = organs(re.sub(r"^(?:《|【[^】]*】)", "", match["who"]))
    return ("、".join(found) if found else None), match["more"] is not None


def of_report(head: str, title: str) -> str | None:
    """Return the government that gives a work report: from its title, the assembly it speaks to, or its head."""
    if re.search(r"国务院.{0,6}总理|在第.{1,4}届全国人民代表大会", head):
        return "国务院"
    if match := re.search(
        r"(?:^|[^\u4e00-\u9fff])([\u4e00-\u9fff]{2,12}?(?:省|市|自治区|自治州|州|县|區|区|旗|盟))(?:人民)?政府工作",
        re.sub(r"^\d{4}年度?", "", title),
    ):
        return match[1] + "人民政府"
    if match := re.search(
        r"在([\u4e00-\u9fff]{2,12}?(?:省|市|自治区|自治州|州|县|区|旗|盟))第.{1,4}届人民代表大会", head
    ):
        return match[1] + "人民政府"
    return None


def level(issuer: str | None) -> str | None:
    """Return the level of an organ: national, ministry, province, city, county or township; None if unsure.

    >>> level("国务院办公厅"), level("北京市商务局"), level("阿坝州人民政府办公室"), level("景泰县财政局")
    ('national', 'province', 'city', 'county')
    """
    if not issuer:
        return None
    first = issuer.split("、")[0]
    if re.match(
        r"(?:中共中央|国务院|國務院|全国人民代表大会|全国人大|中央军委|中央军事委员会|最高人民|国家主席|第.{1,5}届全国人民|行政院$|總統|立法院|司法院|全国政协|中国人民政治协商会议全国)",
        first,
    ):
        return "national"
    if re.match(r"(?:香港|澳門|澳门|行政長官)", first):
        return "province"
    return _local_level(first) or _central_level(first)


def _local_level(name: str) -> str | None:
    name = re.sub(r"^(?:中共|(?:国家|中国)[\u4e00-\u9fff]{2,8}?(?:总局|银行|局)(?=.{2,}))", "", name)
    province = next((p for p in _PROVINCES if name.startswith(p)), None)
    rest = re.sub(r"^(?:省|市|(?:壮族|回族|维吾尔)?自治区)", "", name[len(province) :]) if province else name
    if re.search(r"[^城社市郊园](?:乡|镇|街道|鄉|鎮)(?:人民政府|党委|委员会|办事处|公所|党工委)", rest):
        return "township"
    if re.match(r"[\u4e00-\u9fff]{1,7}?(?:市[\u4e00-\u9fff]{1,4}区|县|縣|旗)", rest):
        return "county"
    if province in _MUNICIPALITIES and re.match(r"[\u4e00-\u9fff]{1,5}?区(?!域|划|县)", rest):
        return "county"
    if re.match(r"[\u4e00-\u9fff]{1,9}?(?:市|州|盟|地区)", rest) and not rest.startswith(("市场", "市政")):
        return "city"
    if re.match(r"[\u4e00-\u9fff]{1,4}?区(?!域|划)", rest) and not province:
        return "county"
    return "province" if province else None


def _central_level(name: str) -> str | None:
    if re.match(r"(?:国家|國家|中国|中華|中央|全国)", name):
        return "ministry"
    if re.fullmatch(
        r"(?:中华人民共和国)?[\u4e00-\u9fff]{2,12}(?:部|委员会|委員會|总局|署)(?:办公厅)?", name
    ) and not re.match(r"[省市县区州]", name):
        return "ministry"
    return None
