"""A Word file to lines, whatever wraps its text: revisions, content controls, smart tags, text boxes, nested tables.

Walks the XML itself: python-docx, which opens the package, shows only what stands directly in the body. Deleted text
is left out, inserted text is in; the numbers of numbered paragraphs, which no text holds, are counted as Word does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"  # the same once more, simpler
_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_UNSEEN = frozenset(f"{W}{name}" for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "rt")) | {
    _FALLBACK
}
_MARKS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_HAN = "〇一二三四五六七八九"
_COUNTED_IN_HAN = frozenset(
    {"chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand", "japaneseCounting"}
)
_LEVELS = 9
_LAST = 999  # that is written in Chinese numerals
Element = Any  # of lxml


@dataclass(frozen=True)
class Level:
    """How one level of a list is numbered."""

    start: int = 1
    kind: str = "decimal"
    text: str = ""  # with %1 for the number of the first level, %2 of the second ...


@dataclass
class Numbering:
    """The lists of a document, and how far each has counted."""

    lists: dict[str, list[Level]] = field(default_factory=dict)  # by numId
    shared: dict[str, str] = field(default_factory=dict)  # numId -> the list that it continues
    styles: dict[str, tuple[str, int]] = field(default_factory=dict)  # styleId -> numId, level
    _counts: dict[str, list[int | None]] = field(default_factory=dict)  # None: not begun

    @classmethod
    def of(cls, numbering: Element | None, styles: Element | None) -> Numbering:
        """Read the parts `numbering.xml` and `styles.xml`; either may be missing."""
        found = cls()
        if numbering is None:
            return found
        abstract = {_value(one, "abstractNumId"): _levels(one) for one in numbering.iter(f"{W}abstractNum")}
        for num in numbering.iter(f"{W}num"):
            name, base = _value(num, "numId"), _value(num.find(f"{W}abstractNumId"))
            found.lists[name] = abstract.get(base, [])
            restarts = num.find(f"{W}lvlOverride/{W}startOverride") is not None
            found.shared[name] = name if restarts else f"abstract {base}"
        for style in [] if styles is None else styles.iter(f"{W}style"):
            if (numbered := style.find(f"{W}pPr/{W}numPr")) is not None:
                found.styles[_value(style, "styleId")] = _place(numbered)
        return found

    def next(self, paragraph: Element) -> str:
        """Return what stands before a paragraph, and count on; empty for one that is not numbered."""
        settings = paragraph.find(f"{W}pPr")
        if settings is None:
            return ""
        numbered, style = settings.find(f"{W}numPr"), settings.find(f"{W}pStyle")
        default = self.styles.get(_value(style), ("", 0))
        name, level = default if numbered is None else _place(numbered, *default)
        levels = self.lists.get(name, [])
        if level >= len(levels):
            return ""
        counts = self._counts.setdefault(self.shared[name], [None] * _LEVELS)
        before = counts[level]
        counts[level] = levels[level].start if before is None else before + 1
        counts[level + 1 :] = [None] * (_LEVELS - level - 1)
        return _written(levels, counts, level)


def lines(body: Element, numbering: Numbering) -> Iterator[str]:
    """Yield the paragraphs and table rows of a body in their order; cells are joined by tabs.

    What stands in a text box comes before the paragraph that it hangs on; a cell that is merged over rows stands in the
    first of them only.
    """
    for child in body:
        if child.tag == f"{W}p":
            boxes: list[Element] = []
            text = _text(child, boxes)
            for box in boxes:
                yield from lines(box, numbering)
            number = numbering.next(child) if text.strip() else ""
            yield number + text
        elif child.tag == f"{W}tbl":
            for row in _inside(child, f"{W}tr"):
                yield "\t".join(_cell(cell, numbering) for cell in _inside(row, f"{W}tc"))
        elif child.tag in _WRAPPERS:
            yield from lines(child, numbering)


def _inside(element: Element, wanted: str) -> Iterator[Element]:
    """Yield the rows of a table, or the cells of a row, also those that a content control wraps."""
    for child in element:
        if child.tag == wanted:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _inside(child, wanted)


def _cell(cell: Element, numbering: Numbering) -> str:
    return " ".join(" ".join(lines(cell, numbering)).split())


def _text(element: Element, boxes: list[Element]) -> str:
    pieces: list[str] = []
    for child in element:
        tag = child.tag
        if tag == f"{W}t":
            pieces.append(child.text or "")
        elif tag == f"{W}br":
            pieces.append("" if child.get(f"{W}type") in ("page", "column") else "\n")
        elif tag in _MARKS:
            pieces.append(_MARKS[tag])
        elif tag == f"{W}txbxContent":
            boxes.append(child)
        elif tag not in _UNSEEN and isinstance(tag, str):
            pieces.append(_text(child, boxes))
    return "".join(pieces)


def _value(element: Element | None, name: str = "val") -> str:
    return "" if element is None else str(element.get(f"{W}{name}") or "")


def _number(element: Element | None, default: int) -> int:
    value = _value(element)
    return int(value) if value.isdecimal() else default


def _place(numbered: Element, name: str = "", level: int = 0) -> tuple[str, int]:
    found = numbered.find(f"{W}numId")
    return name if found is None else _value(found), _number(numbered.find(f"{W}ilvl"), level)


def _levels(abstract: Element) -> list[Level]:
    found = [Level()] * _LEVELS
    for level in abstract.findall(f"{W}lvl"):
        at = _value(level, "ilvl")
        if at.isdecimal() and int(at) < _LEVELS:
            kind = _value(level.find(f"{W}numFmt")) or "decimal"
            found[int(at)] = Level(_number(level.find(f"{W}start"), 1), kind, _value(level.find(f"{W}lvlText")))
    return found


def _written(levels: list[Level], counts: list[int | None], level: int) -> str:
    if levels[level].kind in ("bullet", "none"):
        return ""
    text = levels[level].text
    for i in range(level + 1):
        count = counts[i]
        text = text.replace(f"%{i + 1}", _numeral(levels[i].start if count is None else count, levels[i].kind))
    return f"{text} " if text[-1:].isascii() and text else text


def _numeral(number: int, kind: str) -> str:
    """Write a number as Word does; kinds that are not known as Arabic digits.

    >>> _numeral(12, "chineseCounting"), _numeral(105, "japaneseCounting"), _numeral(3, "decimalEnclosedCircle")
    ('十二', '一百零五', '③')
    """
    if kind in _COUNTED_IN_HAN and 0 < number <= _LAST:
        return _in_han(number)
    if kind == "decimalEnclosedCircle" and 0 < number <= 20:
        return chr(0x2460 + number - 1)
    if kind in ("lowerLetter", "upperLetter") and 0 < number <= 26:
        return chr(ord("a" if kind == "lowerLetter" else "A") + number - 1)
    return str(number)


def _in_han(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_HAN[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _HAN[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_HAN[ones] if ones else "")
