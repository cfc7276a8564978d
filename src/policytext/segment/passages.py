"""Passages: a document's lines, each with what it is (heading, list item, turn of talk ...) and where it stands.

A line is a paragraph. What a line is depends on its own form first and on its neighbours second; nothing is deleted:
every character that is not white space lies in exactly one passage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from policytext.config import SegmentConfig
from policytext.records import Document, Passage
from policytext.segment import words as words_module

_NUMBER = "[一二三四五六七八九十百零〇○两0-9０-９]+"
# Marks that open a numbered line, from the highest level to the lowest.
_LEVELS = (
    "title",
    "part",
    "chapter",
    "section",
    "article",
    "plain",
    "cn",
    "cn_paren",
    "arabic",
    "arabic_paren",
    "circled",
)
_MARK = re.compile(
    rf"(?P<part>第\s?{_NUMBER}\s?[编篇部](?!分))"
    rf"|(?P<chapter>第\s?{_NUMBER}\s?章)"
    rf"|(?P<section>第\s?{_NUMBER}\s?[节款])"
    rf"|(?P<article>第\s?{_NUMBER}\s?条(?:\s?之{_NUMBER})?(?:-[0-9]+)?)"
    r"|(?P<cn>[一二三四五六七八九十]{1,4}[、．.])"
    r"|(?P<cn_paren>[（(]\s?[一二三四五六七八九十]{1,4}\s?[)）])"
    r"|(?P<arabic>[0-9]{1,3}(?:[.．、](?![0-9])|(?:[.-][0-9]{1,2}){1,3}[.、 ]))"
    r"|(?P<arabic_paren>[（(][0-9]{1,3}[)）]|[0-9]{1,3}[)）])"
    r"|(?P<circled>[①-⑳])"
    r"|(?P<bullet>[•·●■◆○▪◇□★☆※►➢✓*+–—-](?=[\s\w（(《“「]))"
)
_MAY_OPEN = frozenset("第一二三四五六七八九十（(①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳•·●■◆○▪◇□★☆※►➢✓*+–—-0123456789")
_ENDS_SENTENCE = frozenset("。！？；!?;…")
_NO_TITLE_END = frozenset("。！？；，、：…!?;,:—-")
_CLOSERS = "”’」』）)》】〕"
_SENTENCE = re.compile(rf"[^。！？；…!?;]*[。！？；…!?;]+[{_CLOSERS}]*|[^。！？；…!?;]+$")
_CLAUSE = re.compile(r"[^，、：,]*[，、：,]+|[^，、：,]+$")
_SPEAKER = re.compile(
    r"([^：:，。！？；、\s（）()《》“”「」0-9][^：:，。！？；、（）()《》“”「」]{0,15})(?:（[^）]{1,20}）)?[：:](?!//)"
)
_DATE = re.compile(
    r"[（(]?\s?(?:中华民国\s?|公元\s?|民国\s?)?(?:[0-9]{2,4}|[〇○零一二三四五六七八九十]{1,5})\s?年\s?"
    r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\s?月\s?(?:(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\s?日)?\s?(?:印发|发布|施行)?[)）]?"
    r"|[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
)
_FILE_NUMBER = re.compile(
    r"[（(]?[\u4e00-\u9fff]{1,16}[〔\[（(【]\s?[0-9]{4}\s?[〕\])）】]\s?第?\s?[0-9]{1,5}\s?号[)）]?"
)
_BOILERPLATE = re.compile(
    r"[（(]?(?:此件|本件)[^。]{0,8}公开[^。]{0,6}[)）]?$|[（(]完[)）]$|[（(]?(?:联系人|联络人|联系电话|咨询电话|电话|传真|邮箱|电子邮[箱件]|邮编|邮政编码"
    r"|地址|网址|责任编辑|责编|编辑|校对|审核|来源|原标题|作者|记者|抄送|抄报|主送|发文机关|成文日期|发布日期|公开方式|索引号|主题词|打印|分享)\s?[：:]"
    r"|文\s?[/／]|(?:附件|附表|附录|附)\s?[0-9一二三四五六七八九十]{0,3}\s?(?:[：:]|$)|.{2,30}(?:办公室|办公厅|秘书处)\s+[0-9]{4}年.{1,8}印发$"
)
_ADDRESSEE = re.compile(r"(?:各|本|省|市|县|区|国务院|全国|有关|相关|尊敬的)[^。！？；]{1,200}[：:]$")
_ORGAN = re.compile(
    r"[^。，；：！？]{0,40}(?:政府|[厅局委院部署处会办行司校]|办公[厅室]|中心|公司|大学|集团|总队|法院|检察院|小组)$"
)


@dataclass
class _Line:
    """One line of the text without the white space around it, and what is known of it."""

    start: int
    end: int
    text: str
    mark: str = ""  # name of the mark that opens it
    rest: int = 0  # where the text after the mark starts
    titled: bool = False  # could be a title: short, and does not end like a sentence
    kind: str = ""
    spoken: int = 0  # length of the speaker's name and colon


@dataclass
class Segmenter:
    """Splits documents into passages and cuts them into words; fitted once with the domain words.

    >>> Segmenter(SegmentConfig(), ["数字赋权"]).cut("从数字赋能到数字赋权。")
    ('从', '数字', '赋能', '到', '数字赋权', '。')
    """

    config: SegmentConfig
    words: Iterable[str] = ()
    _cut: Callable[[str], tuple[str, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._cut = words_module.cutter(self.config, self.words)

    def cut(self, text: str) -> tuple[str, ...]:
        """Return the words of a text, spaces and punctuation included: they tile it."""
        return self._cut(text)

    def split(self, doc: Document) -> list[Passage]:
        """Return the passages of a document in reading order, with their words."""
        lines = _lines(doc.text)
        _classify(lines, _boilerplate_spans(doc), self.config)
        _mark_titles(doc, lines)
        passages: list[Passage] = []
        for start, end, kind, heading in _pieces(doc.text, lines, self.config):
            text = doc.text[start:end]
            passages.append(Passage(doc.id, len(passages), start, end, kind, heading, text, self._cut(text)))
        return passages


def _lines(text: str) -> list[_Line]:
    lines, start = [], 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        if stripped:
            begin = start + raw.index(stripped[0])
            lines.append(_describe(begin, stripped))
        start += len(raw) + 1
    return lines


def _describe(start: int, text: str) -> _Line:
    line = _Line(start, start + len(text), text)
    if text[0] in _MAY_OPEN and (found := _MARK.match(text)):
        line.mark, line.rest = found.lastgroup or "", found.end()
    line.titled = len(text) - line.rest <= 45 and text[-1] not in _NO_TITLE_END and "。" not in text
    return line


def _boilerplate_spans(doc: Document) -> list[tuple[int, int]]:
    """Return the spans of the text that `ingest` has marked as blocks without content (附件, 抄送, ...)."""
    blocks = getattr(doc, "blocks", ())
    return [doc.alignment.to_text(start, end) for _, start, end in blocks]


def _classify(lines: list[_Line], marked: Sequence[tuple[int, int]], config: SegmentConfig) -> None:
    speakers = _speakers(lines)
    for i, line in enumerate(lines):
        if any(start < line.end and line.start < end for start, end in marked):
            line.kind = "boilerplate"
        else:
            line.kind = _kind(lines, i, speakers)
    _mark_signatures(lines)
    _mark_attachments(lines)
    for line in lines:
        if (
            line.kind in ("body", "list", "speech")
            and len(line.text) - max(line.spoken, line.rest) < config.min_passage_chars
        ):
            line.kind = "short"


def _kind(lines: Sequence[_Line], i: int, speakers: frozenset[str]) -> str:
    line = lines[i]
    if "\t" in line.text or line.text.count("|") > 1 or line.text.count("│") > 1:
        return "table"
    if _is_boilerplate(line, i):
        return "boilerplate"
    if speakers and (found := _SPEAKER.match(line.text)) and found[1] in speakers:
        line.spoken = found.end()
        return "speech"
    if _is_heading(lines, i):
        return "heading"
    if line.mark in ("arabic", "arabic_paren", "circled", "bullet") or (line.mark and line.text[-1] in "；;"):
        return "list"
    return "body"


def _is_boilerplate(line: _Line, i: int) -> bool:
    text = line.text
    if len(text) > 200:
        return False
    if _DATE.fullmatch(text) or _FILE_NUMBER.fullmatch(text):
        return True
    if text[-1] in "：:" and i < 8 and _ADDRESSEE.match(text):
        return True
    return len(text) <= 80 and _BOILERPLATE.match(text) is not None


def _is_heading(lines: Sequence[_Line], i: int) -> bool:
    line = lines[i]
    if not line.titled or i + 1 == len(lines):
        return False
    if line.mark in ("part", "chapter", "section"):
        return True
    following = lines[i + 1]
    if line.mark in ("cn", "cn_paren", "arabic", "article"):
        return following.mark != line.mark or not following.titled
    return not line.mark and _is_plain_heading(line, following)


def _is_plain_heading(line: _Line, following: _Line) -> bool:
    """Say whether an unnumbered short line heads what follows: a longer line that reads as prose, or a numbered one."""
    if len(line.text) > 40 or not any("\u3400" <= mark <= "\u9fff" for mark in line.text):
        return False
    if following.mark in ("part", "chapter", "cn"):
        return True
    return (
        len(following.text) > len(line.text) and not following.titled and any(m in following.text for m in "。！？；：")
    )


def _speakers(lines: Sequence[_Line]) -> frozenset[str]:
    """Return the names that open turns of talk: in a transcript, at least a third of the lines start with `name：`."""
    names = Counter(found[1] for line in lines if not line.mark and (found := _SPEAKER.match(line.text)))
    turns = sum(count for count in names.values() if count > 1)
    if turns < 3 or turns * 3 < len(lines):
        return frozenset()
    return frozenset(names)


def _mark_titles(doc: Document, lines: Sequence[_Line]) -> None:
    """Mark lines that repeat the document's title as headings; a title of several lines counts too."""
    title = re.sub(r"\s", "", doc.title or "")
    for line in lines[:12]:
        original = doc.original[slice(*doc.alignment.to_original(line.start, line.end))]
        written = re.sub(r"\s", "", original)
        if len(written) >= 4 and (written == title or (len(written) >= 8 and written in title)):
            line.kind, line.mark = "heading", "title"


def _mark_signatures(lines: Sequence[_Line]) -> None:
    """Mark the issuer's lines above a date line as boilerplate."""
    for i, line in enumerate(lines):
        if line.kind == "boilerplate" and _DATE.fullmatch(line.text):
            for above in reversed(lines[max(0, i - 4) : i]):
                if above.kind not in ("short", "body", "heading") or above.mark or not _ORGAN.fullmatch(above.text):
                    break
                above.kind = "boilerplate"


def _mark_attachments(lines: Sequence[_Line]) -> None:
    """Mark the numbered titles that follow `附件：` as boilerplate too."""
    inside = False
    for line in lines:
        if line.kind == "boilerplate" and line.text.startswith(("附件", "附：")):
            inside = "1" in line.text[:8]
        elif inside and line.mark == "arabic" and line.titled:
            line.kind = "boilerplate"
        else:
            inside = False


def _pieces(text: str, lines: Sequence[_Line], config: SegmentConfig) -> Iterable[tuple[int, int, str, str]]:
    """Yield start, end, kind and heading path of every passage."""
    above: list[tuple[int, str]] = []
    path = ""
    seen_content = False
    for start, end, line in _joined_tables(lines):
        if line.kind == "heading":
            level = _LEVELS.index(line.mark or "plain")
            above = [entry for entry in above if entry[0] < level]
            yield start, end, "heading", " > ".join(title for _, title in above)
            if line.mark != "title" and (seen_content or line.mark):  # the title of the document heads no passage
                above.append((level, line.text))
            path = " > ".join(title for _, title in above)
            continue
        seen_content = seen_content or line.kind in ("body", "list", "speech")
        if end - start <= config.max_passage_chars or line.kind == "table":
            yield start, end, line.kind, path
            continue
        for first, last in _sentence_groups(text, start, end, config.max_passage_chars):
            yield first, last, line.kind, path


def _joined_tables(lines: Sequence[_Line]) -> Iterable[tuple[int, int, _Line]]:
    i = 0
    while i < len(lines):
        j = i + 1
        if lines[i].kind == "table":
            while j < len(lines) and lines[j].kind == "table":
                j += 1
        yield lines[i].start, lines[j - 1].end, lines[i]
        i = j


def _sentence_groups(text: str, start: int, end: int, limit: int) -> Iterable[tuple[int, int]]:
    """Yield spans of whole sentences, each at most `limit` long where the sentences allow it."""
    first = last = start
    for sentence_start, sentence_end in _sentences(text, start, end, limit):
        if last > first and sentence_end - first > limit:
            yield _trim(text, first, last)
            first = sentence_start
        last = sentence_end
    yield _trim(text, first, last)


def _sentences(text: str, start: int, end: int, limit: int) -> Iterable[tuple[int, int]]:
    for found in _SENTENCE.finditer(text, start, end):
        if found.end() - found.start() <= limit:
            yield found.span()
            continue
        for clause in _CLAUSE.finditer(text, found.start(), found.end()):
            for cut in range(clause.start(), clause.end(), limit):
                yield cut, min(cut + limit, clause.end())


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
