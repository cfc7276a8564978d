"""Anatomy of official documents 公文 in plain text: title, number, issuer, dates, and the blocks that are not body.

Only the head (up to where the body begins) and the signature are read; a date or number inside a sentence is never
taken for the document's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from policytext import dictionaries
from policytext.ingest import dates, history, issuers, numbers, signatures, titles
from policytext.ingest.sitelines import Label, Line, byline, is_furniture, is_outlet, label, labels, lines_of, masthead

Block = tuple[str, int, int]

_HEAD = 8_000  # code points in which the body must begin
_HEAD_LINES = 70
_BODY = re.compile(
    r"^(?:[一二三四五六七八九十]{1,3}\s*、|[（(][一二三四五六七八九十]{1,3}\s*[)）]|第\s*[一二三四五六七八九十百\d]+\s*[章条條編编节節]|\d{1,2}\s*[.．、](?!\d))"
)
_ADDRESSEE = re.compile(r"^[^。；！？]{2,600}[:：]$")
_GREETING = re.compile(r"(?:各位|同志们|代表们|朋友们|委员们|女士们|主席|议员)")
_PERSON = re.compile(
    r"^[\u4e00-\u9fff　\s（）()]{0,24}?(?:总理|省长|市长|县长|区长|州长|主席|部长|局长|主任|署长|行长|院长|检察长|"
    r"委员长|市委书记|省委书记|書記|書记|院長|部長|署長|局長|主委|總統|司長)"
    r"[\s　]*(?:[\u4e00-\u9fff][\s　]*){2,4}$"
)
_INVISIBLE_AT_EDGES = re.compile(r"^[\u200b\ufeff]+|[\u200b\ufeff]+$", re.MULTILINE)  # pages that were copied
_SIGNER = re.compile(r"\s+签发人\s*[:：].*$")  # on the line of the number, GB/T 9704
# Letters of agencies in Taiwan: 數位發展部　函, and below 主旨：.
_LETTER = re.compile(r"^(?P<organ>[^\s，。：:]{2,20})\s+(?:函|書函|公告|令|開會通知單)$")
_SUBJECT = re.compile(r"^主\s*旨\s*[:：]\s*(?P<subject>[^\n]{4,200})$", re.MULTILINE)
_NAME_ONLY = re.compile(r"^[（(]?[\u4e00-\u9fff][\s　]*[\u4e00-\u9fff]([\s　]*[\u4e00-\u9fff])?[)）]?$")


@dataclass(frozen=True)
class Anatomy:
    """What a document says about itself; None where it says nothing."""

    number: str | None = None
    title: str | None = None
    issuer: str | None = None
    author: str | None = None
    outlet: str | None = None
    signed: str | None = None
    signed_source: str = "signature"
    signed_certainty: float = 0.9
    printed: str | None = None
    published: str | None = None
    forwards: str | None = None
    blocks: tuple[Block, ...] = ()


@dataclass
class _Head:
    """What the lines before the body say."""

    groups: list[list[Line]] = field(default_factory=list)  # lines that may be a title, wrapped lines together
    labels: dict[str, str] = field(default_factory=dict)
    number: str | None = None
    decree: bool = False
    organs: list[str] = field(default_factory=list)
    author: str | None = None
    date: tuple[str, str, float] | None = None  # iso, source, certainty
    published: str | None = None
    events: list[Line] = field(default_factory=list)  # promulgation, adoption, delivery
    blocks: list[Block] = field(default_factory=list)
    body: int = 0  # where the body begins, in the text
    furnished: bool = False  # the text came with parts of a web page


def dissect(text: str, *, title: str | None = None) -> Anatomy:
    """Take a document apart; `title` is a title already known, e.g. declared by the source."""
    text = dictionaries.plain(text)  # of the same length
    if "\u200b" in text or "\ufeff" in text:
        text = _INVISIBLE_AT_EDGES.sub(lambda match: " " * len(match[0]), text)
    head = _read_head(_head_lines(text))
    signature = signatures.find(text, head.body)
    events = history.read(head.events)
    found = titles.choose([_joined(group) for group in head.groups], head.labels.get("title"), furnished=head.furnished)
    letter = next((match for group in head.groups for line in group if (match := _LETTER.match(line.text))), None)
    if letter and issuers.organs(letter["organ"]):
        head.organs = head.organs or issuers.organs(letter["organ"])
        found = _subject(text, head.body) or found
    own_title = found or (titles.of_decree(text, head.body) if head.decree else titles.of_attachment(text, head.number))
    number, own_title = _number(head, own_title, events)
    signed, source, certainty = _signed(head, events, signature, own_title or title)
    name = title or own_title
    return Anatomy(
        number=number,
        title=titles.tidy(own_title.replace("\u200b", "")) if own_title else None,
        issuer=_issuer(head, events, signature, name, text),
        author=head.author or _named(head.labels.get("author")),
        outlet=_outlet(head),
        signed=signed,
        signed_source=source,
        signed_certainty=certainty,
        printed=signatures.printed(text),
        published=dates.parse(head.labels.get("published")) or head.published,
        forwards=titles.forwarded(name, text[head.body : head.body + 1500]),
        blocks=tuple(
            sorted(
                {*head.blocks, *_title_blocks(head, own_title), *signatures.blocks(text, head.body, signature)},
                key=lambda b: b[1:],
            )
        ),
    )


def _subject(text: str, start: int) -> str | None:
    """Return what a letter is about, 有關某事一案 of 主旨：有關某事一案，請查照."""
    match = _SUBJECT.search(text, max(0, start - 400), start + 1500)
    return re.split(r"[，,]\s*(?:請|复請|復請|惠請|敬請)|。", match["subject"])[0].strip() or None if match else None


def _head_lines(text: str) -> list[Line]:
    """Lines of the head; a line that a web page was poured into is split at its white space."""
    found: list[Line] = []
    for line in lines_of(text, 0, _HEAD)[:_HEAD_LINES]:
        if (
            len(line.text) > 120
            and len(
                re.findall(
                    r"(?:索\s*引\s*号|发布时间|发布日期|信息来源|来源|生成日期|浏览次数)\s*[:：]", line.text[:700]
                )
            )
            >= 2
        ):
            found.extend(_poured(line))
        else:
            found.append(line)
    return found


def _poured(line: Line) -> list[Line]:
    """Split at white space, a label stays with its value."""
    pattern = re.compile(
        r"(?:(?:[\u4e00-\u9fff]\s){0,3}[\u4e00-\u9fff]{1,5}\s*[:：]\s*)?[^\s]+(?:\s\d{1,2}:\d\d(?::\d\d)?)?"
    )
    pieces = [Line(m[0], line.start + m.start(), line.start + m.end()) for m in pattern.finditer(line.text[:1500])]
    fixed: list[Line] = []
    for piece in pieces:
        said = label(piece.text)
        if said and titles.is_complete(said.value) and len(said.value) >= 4 and said.field != "title":
            cut = piece.end - len(said.value)
            fixed += [Line(piece.text[: -len(said.value)].strip(), piece.start, cut), Line(said.value, cut, piece.end)]
        else:
            fixed.append(piece)
    return fixed


def _read_head(lines: list[Line]) -> _Head:
    head = _Head(body=lines[0].start if lines else 0)
    waiting: str | None = None  # a label whose value stands on the next line
    last = -2  # index of the last line that may be a title
    for i, line in enumerate(lines):
        following = lines[i + 1] if i + 1 < len(lines) else None
        if (
            waiting
            and len(line.text) <= 24
            and not titles.is_complete(line.text)
            and not is_furniture(line.text)
            and label(line.text) is None
        ):
            head.labels.setdefault(waiting, line.text)
            head.blocks.append(("site", line.start, line.end))
            waiting = None
        elif said := _site(head, line):
            waiting = said.field if said.field != "other" and not said.value and not line.text.endswith(")") else None
        elif _is_mark(head, line, following, lines[i - 1] if i else None):
            pass
        elif _ends(line.text, head, first=not head.groups):
            break
        elif (
            i == last + 1
            and head.groups
            and titles.continues(
                [part.text for part in head.groups[-1]], line.text, [x.text for x in lines[i + 1 : i + 4]]
            )
        ):
            head.groups[-1].append(line)
            last = i
        elif (names := issuers.organs(line.text)) and head.groups and titles.is_complete(_joined(head.groups[-1])):
            head.organs += names
        elif _PERSON.match(line.text) and head.groups:
            head.blocks.append(("signature", line.start, line.end))
            head.events.append(line)
        else:
            head.groups.append([line])
            last = i
        head.body = line.end
    return head


def _site(head: _Head, line: Line) -> Label | None:
    """Take a line of a web site or a byline; None if it is none."""
    said = label(line.text)
    if said and not (
        said.field in ("published", "title") and said.value and len(line.text) > 60 and said.field == "published"
    ):
        for part in labels(line.text):
            if part.value:
                head.labels.setdefault(part.field, part.value)
    elif printed := masthead(line.text):
        head.labels.setdefault("outlet", printed[0])
        head.labels.setdefault("published", printed[1])
        said = Label("published", printed[1])
    elif name := byline(line.text):
        head.author = head.author or name
        said = Label("other", name)
    elif is_furniture(line.text):
        inner = re.fullmatch(r".{0,6}begin-->(?P<inner>.{4,80}?)\s*(?:end-->)?", line.text)
        if inner and titles.is_complete(inner["inner"].strip()):
            return None
        said = Label("other", line.text)
    else:
        return None
    head.furnished = True
    head.blocks.append(("site", line.start, line.end))
    return said


def _is_mark(head: _Head, line: Line, following: Line | None, before: Line | None) -> bool:
    """Take a number, a date, a promulgation or a delivery; False if the line is none of these."""
    text = line.text
    if (number := numbers.own(_SIGNER.sub("", text))) and (
        head.groups or not titles.is_complete(re.split(r"\d", text)[0])
    ):
        head.number = head.number or number
        head.blocks.append(("number", line.start, line.end))
        return True
    if following and (number := numbers.decree(text, following.text)):
        head.number, head.decree = head.number or number, True
        head.organs = head.organs or _of_decree(text)
        head.blocks.append(("number", line.start, line.end))
        return True
    if before and head.decree and numbers.decree(before.text, text):
        head.blocks.append(("number", line.start, line.end))
        return True
    if stamp := signatures.stamp(text):
        _take_date(head, stamp)
        head.blocks.append(("date", line.start, line.end))
        return True
    wrapped = following is not None and len(text) < 60 and history.is_event(text + following.text, "")
    told = before.text if before and head.events and head.events[-1] is before else ""
    if history.is_event(text, told) or wrapped:
        head.events.append(line)
        head.blocks.append(("date", line.start, line.end))
        return True
    return False


def _of_decree(line: str) -> list[str]:
    agency = numbers.short(re.sub(r"(?:令|公告|通告)$", "", "".join(line.split())))
    return re.split("、", agency) if agency else []


def _take_date(head: _Head, stamp: signatures.Stamp) -> None:
    """Take a date: one with a time or dashes is of the web page, 2025年3月 under the title is the document's."""
    if stamp.of_page:
        head.published = head.published or stamp.iso
    elif head.date is None:
        head.date = (stamp.iso, "head", 0.9 if stamp.bracketed else 0.7)


def _ends(text: str, head: _Head, *, first: bool) -> bool:
    """Say whether the body begins here; mark the addressees 主送."""
    if _ADDRESSEE.match(text) or _BODY.match(text):
        return True
    if text.endswith(("。", "；", "！", "？")) or len(text) > 160:
        return True
    if re.match(r"[（(]", text) and first:
        return True
    return len(text) > 70 and "，" in text and not titles.is_complete(text) and bool(head.groups or len(text) > 110)


def _joined(group: list[Line]) -> str:
    return titles.join([line.text for line in group])


def _number(head: _Head, title: str | None, events: history.Events) -> tuple[str | None, str | None]:
    if title:
        ending, rest = numbers.at_end(title)
        return head.number or ending or _labelled_number(head) or events.number, rest
    return head.number or _labelled_number(head) or events.number, title


def _labelled_number(head: _Head) -> str | None:
    value = head.labels.get("number")
    return (numbers.own(value) or None) if value else None


def _signed(
    head: _Head, events: history.Events, signature: signatures.Signature | None, title: str | None
) -> tuple[str | None, str, float]:
    """Choose the date of signing, promulgation, adoption or delivery."""
    found = [
        (titles.date_in(title), "title", 0.9),
        (events.date, events.source, 0.95),
        (signature.iso if signature and signature.organs else None, "signature", 0.95),
        (dates.parse(head.labels.get("signed")), "label", 0.95),
        head.date or (None, "head", 0.0),
        (signature.iso if signature else None, "signature", 0.8),
    ]
    return next((choice for choice in found if choice[0]), (None, "signature", 0.0))


def _issuer(
    head: _Head, events: history.Events, signature: signatures.Signature | None, title: str | None, text: str
) -> str | None:
    named, more = issuers.from_title(title) if title else (None, False)
    if head.decree and head.organs:
        return "、".join(head.organs)
    told = signature and (signature.iso or head.number or (title and titles.is_complete(title)))
    if signature and told and signature.organs and (more or named is None or not events.issuer):
        return "、".join(signature.organs)
    if title and re.search(r"政府工作(?:报告|報告)$", title):
        return issuers.of_report(text[: head.body + 200], title) or events.issuer or named
    if named or events.issuer:
        return named or events.issuer
    if head.organs:
        return "、".join(dict.fromkeys(head.organs))
    return head.labels.get("issuer") or None


def _outlet(head: _Head) -> str | None:
    said = head.labels.get("outlet")
    if said:
        return re.split(r"\s{2,}|[|｜]", said)[0].strip() or None
    first = head.groups[0] if head.groups else []
    return first[0].text if len(first) == 1 and len(head.groups) > 1 and is_outlet(first[0].text) else None


def _named(value: str | None) -> str | None:
    return value if value and len(value) <= 40 else None


def _title_blocks(head: _Head, title: str | None) -> list[Block]:
    plain = "".join((title or "").split())
    found: list[Block] = []
    for group in head.groups:
        joined = "".join(_joined(group).split())
        kind = "title" if joined and (joined in plain or plain in joined) else "site" if head.furnished else "head"
        if kind != "head" or is_outlet(group[0].text):
            found += [("site" if kind == "head" else kind, line.start, line.end) for line in group]
    return found
