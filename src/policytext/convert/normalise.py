"""Set right what stands in the way of reading: widths, spaces, invisible marks, private glyphs, broken lines.

Every change of length is an edit, so the original is never lost. A real paragraph break stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

from policytext import dictionaries
from policytext.convert.chains import compose
from policytext.convert.stages import CODE_POINTS, Codes, Edit, decode, encode

_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003347f"
# Zero-width and bidirectional marks, soft hyphen, byte-order mark; a variation selector where it follows Han.
_INVISIBLE = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]+"
    f"|(?<=[{_HAN}])[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_LINE_END = re.compile("\r\n?")
_SPACED_OUT = re.compile(f"(?<![{_HAN}])(?<![{_HAN}] )[{_HAN}](?: [{_HAN}]){{2,}}(?! ?[{_HAN}])")
_MAY_BE_SPACED_OUT = re.compile(f" [{_HAN}] [{_HAN}]")
_DECIMAL = re.compile("(?<=[0-9])．(?=[0-9])")
_WIDE = re.compile(
    "[\u1100-\u115f\u2014\u2018\u2019\u201c\u201d\u2026\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f"
    "\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003347f]"
)
# What opens a line of its own even where text is broken at a fixed width.
_OPENER = re.compile(
    r"\s|第\s?[一二三四五六七八九十百零0-9]+\s?[编篇章节條条]|[一二三四五六七八九十]{1,3}、"
    r"|[（(][一二三四五六七八九十0-9]{1,3}[)）]|[0-9]{1,2}[.．、](?![0-9])|[•·●■◆○]"
)
_FULL_STOPS = tuple("。！？!?”」")
_PROSE = re.compile("[，。；、,;]")
# U+F020-F0FF hold the glyphs of symbol fonts (Symbol, Wingdings) that office programs leave behind.
_SYMBOLS = dict.fromkeys((0xF06C, 0xF06E, 0xF075, 0xF076, 0xF0A7, 0xF0B7, 0xF0D8, 0xF0E8, 0xF0FC), "•") | {
    0xF0BE: "—",
    0xF8E7: "—",
}
# Characters that GB 18030-2000 kept in the private use area, where the standard of 2005 and Unicode 5.2 put them.
_GB_PRIVATE = {
    0xE5E5: "\u3000", 0xE7C7: "ḿ", 0xE7C8: "ǹ", 0xE816: "𠂇", 0xE817: "𠂉", 0xE818: "𠃌", 0xE81E: "龴", 0xE826: "龵",
    0xE82B: "龶", 0xE82C: "龷", 0xE831: "𡗗", 0xE832: "龸", 0xE83B: "𢦏", 0xE843: "龹", 0xE854: "龺", 0xE855: "𤇾",
    0xE864: "龻",
}  # fmt: skip
_KEEP, _SWAP, _LENGTH = 0, 1, 2  # what a code point asks for: nothing, another one, a change of length

Change = tuple[int, int, str]  # start, end, what stands there instead


def tidy(text: str, *, from_hong_kong: bool = False) -> tuple[str, list[Edit]]:
    """Return the tidy text and the edits where lengths differ, in its own ruler.

    Full-width digits and letters become half-width, radicals the characters they look like; odd spaces a space; line
    separators a line end; glyphs of the private use area the characters they stand for (those of Hong Kong's HKSCS
    only with `from_hong_kong`). Invisible
    marks, the spaces of s p a c e d - o u t Han and the line breaks of text broken at a fixed width go.

    >>> tidy("２０２２年\u200b数　据")
    ('2022年数 据', [(5, 0, 1)])
    """
    codes = encode(text)
    odd = _asks().take(codes)
    edits: list[Edit] = []
    if odd.any():
        text = decode(_swaps(from_hong_kong).take(codes))
        text = _DECIMAL.sub(".", text)
    if (odd == _LENGTH).any():
        text, edits = _change(text, [], ((found.start(), found.end(), "") for found in _INVISIBLE.finditer(text)))
        text, edits = _change(text, edits, ((found.start(), found.end(), "\n") for found in _LINE_END.finditer(text)))
    text, edits = _change(text, edits, _spaces_between(text))
    return _change(text, edits, _broken_lines(text))


def _change(text: str, edits: list[Edit], changes: Iterable[Change]) -> tuple[str, list[Edit]]:
    """Make changes, in order and apart from each other, and add them to the edits that made `text`."""
    pieces: list[str] = []
    added: list[Edit] = []
    done = shift = 0
    for start, end, value in changes:
        pieces += text[done:start], value
        if len(value) != end - start:
            added.append((start + shift, len(value), end - start))
            shift += len(value) - (end - start)
        done = end
    if not pieces:
        return text, edits
    pieces.append(text[done:])
    return "".join(pieces), compose(edits, added)


@cache
def _asks() -> npt.NDArray[np.uint8]:
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    table[_swaps(from_hong_kong=True) != np.arange(CODE_POINTS)] = _SWAP
    table[_swaps(from_hong_kong=False) != np.arange(CODE_POINTS)] = _SWAP
    table[ord("．")] = _SWAP
    for first, last in ((0x200E, 0x2010), (0x202A, 0x202F), (0x2060, 0x2065), (0x2066, 0x206A), (0xFE00, 0xFE10)):
        table[first:last] = _LENGTH
    table[0xE0100:0xE01F0] = _LENGTH
    table[[0x0D, 0xAD, 0x200B, 0xFEFF]] = _LENGTH
    return table


@cache
def _swaps(from_hong_kong: bool) -> Codes:  # noqa: FBT001 - two tables, cached by this flag
    table = np.arange(CODE_POINTS, dtype="<u4")
    table[0x00:0x20] = table[0x7F:0xA1] = ord(" ")  # control characters, no-break space
    table[[0x09, 0x0A, 0x0D]] = 0x09, 0x0A, 0x0D
    table[[0x0B, 0x0C, 0x85, 0x2028, 0x2029]] = ord("\n")
    table[[0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]] = ord(" ")
    for mark in "０１２３４５６７８９％＆＋＝＠＿＃":
        table[ord(mark)] -= 0xFEE0
    table[0xFF21:0xFF3B] -= 0xFEE0
    table[0xFF41:0xFF5B] -= 0xFEE0
    private = _hong_kong_private() if from_hong_kong else _GB_PRIVATE
    for code, value in (private | _SYMBOLS).items():
        table[code] = ord(value)
    for mark, value in dictionaries.radicals().items():
        table[ord(mark)] = ord(value)
    table[0xE5E5] = ord(" ") if not from_hong_kong else table[0xE5E5]
    return table


def _hong_kong_private() -> dict[int, str]:
    """Return the private code points of the Hong Kong Supplementary Character Set -> its characters.

    Windows put the user-defined rows of Big5 into the private use area in one sweep (code page 950); the codec
    big5hkscs knows which characters stood in these rows.
    """
    blocks = ((0xE000, 0xFA, 0x40), (0xE311, 0x8E, 0x40), (0xEEB8, 0x81, 0x40), (0xF6B1, 0xC6, 0xA1))
    ends = (0xE311, 0xEEB8, 0xF6B1, 0xF849)
    trails = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    pairs: dict[int, str] = {}
    for (first, lead, trail), end in zip(blocks, ends, strict=True):
        for code in range(first, end):
            row, column = divmod(code - first + trails.index(trail), len(trails))
            value = bytes((lead + row, trails[column])).decode("big5hkscs", "ignore")
            if len(value) == 1:
                pairs[code] = value
    return pairs


def _spaces_between(text: str) -> list[Change]:
    """Return the single spaces between Han characters that are all set apart, three or more in a row."""
    if not _MAY_BE_SPACED_OUT.search(text):
        return []
    changes: list[Change] = []
    for run in _SPACED_OUT.finditer(text):
        changes += [(place, place + 1, "") for place in range(run.start() + 1, run.end(), 2)]
    return changes


def _broken_lines(text: str) -> list[Change]:
    """Return the line ends inside sentences, where the whole text is broken at a fixed width as from a PDF.

    Such text has lines of nearly one width, most of which end without a mark; only a full line is joined to the next,
    and only where that one does not open a paragraph.
    """
    lines = text.split("\n")
    lengths = sorted(len(line) for line in lines if line and not line.isspace())
    if len(lengths) < 6 or not 15 <= lengths[len(lengths) * 9 // 10] <= 100:
        return []
    if sum(line.endswith(_FULL_STOPS) for line in lines) * 2 > len(lengths):  # paragraphs, not pieces of them
        return []
    widths = [len(line) + len(_WIDE.findall(line)) for line in (raw.rstrip() for raw in lines)]
    full = _full_lines(lines, widths)
    if not full:
        return []
    indented = sum(line.startswith(" ") for line in lines) * 20 >= len(lengths)
    changes, start = [], 0
    for i, line in enumerate(lines[:-1]):
        end = start + len(line)
        if i in full and _continues(line, lines[i + 1], indented=indented):
            changes.append(_join(text, start, end))
        start = end + 1
    return changes


def _full_lines(lines: list[str], widths: list[int]) -> frozenset[int]:
    """Return the lines that reach the right margin; none unless the text is broken at a fixed width."""
    written = sorted(width for width in widths if width)
    margin = written[len(written) * 9 // 10]
    full = [i for i, width in enumerate(widths) if margin - 4 <= width <= margin + 4]
    open_ended = sum(
        bool(lines[i].rstrip()) and not lines[i].rstrip().endswith((*_FULL_STOPS, *"；;：:）)")) for i in full
    )
    prose = sum(_PROSE.search(lines[i]) is not None for i in full)
    # Of full lines of prose about nine in ten end inside a sentence; of paragraphs that happen to be alike, few do.
    if margin < 30 or len(full) * 3 < len(written) or open_ended * 5 < len(full) * 3 or prose * 2 < len(full):
        return frozenset()
    return frozenset(full)


def _continues(line: str, following: str, *, indented: bool) -> bool:
    if not following.strip() or _OPENER.match(following):
        return False
    return indented or not line.rstrip().endswith(_FULL_STOPS)


def _join(text: str, start: int, end: int) -> Change:
    before = start + len(text[start:end].rstrip())
    latin = text[before - 1].isascii() and text[end + 1].isascii()
    return before, end + 1, " " if latin else ""
