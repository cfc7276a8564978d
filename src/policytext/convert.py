"""To simplified Chinese: exact as OpenCC, at the speed of a table look-up, and every character knows its origin.

A variant is a chain. Compatibility ideographs are unified; the chains of Taiwan and Hong Kong cut the text where a
phrase of `TSPhrases` lies, and nothing matches across a cut (OpenCC's mmseg segmentation); then each stage replaces
phrases, from left to right, and every other character through a table. In a stage the first dictionary that has a
match wins, with its longest key (OpenCC's `short_circuit` policy).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from policytext import dictionaries
from policytext.config import ConvertConfig
from policytext.errors import UsageError
from policytext.records import Alignment, Document, Script

Variant = Literal["none", "t2s", "tw2s", "tw2sp", "hk2s", "hk2sp"]
Codes = npt.NDArray[np.uint32]
Edit = tuple[int, int, int]

_CODE_POINTS = 0x110000
_SEGMENTS = ("TSPhrases",)
_TO_SIMPLIFIED = ("TSPhrases", "TSCharacters")
_REGIONAL = {
    "tw2s": ("TWVariantsRevPhrases", "TWVariantsRev"),
    "tw2sp": ("TWPhrasesRev", "TWVariantsRevPhrases", "TWVariantsRev"),
    "hk2s": ("HKVariantsRevPhrases", "HKVariantsRev"),
    "hk2sp": ("HKPhrasesRev", "HKVariantsRevPhrases", "HKVariantsRev"),
}
# What only one region writes: forms of characters and everyday words of government texts.
_TAIWAN = ("臺", "裡", "為", "資訊", "網路", "軟體", "程式", "資料", "透過", "品質", "計畫", "行政院", "立法院", "民國")
_HONG_KONG = ("綫", "衞", "説", "羣", "裏", "啓", "香港", "特區", "資訊科技", "港元", "立法會", "私隱", "市民")
_MAINLAND = ("爲", "信息", "軟件", "網絡", "數據", "質量", "國務院", "黨中央", "智能")
# Ideographic description sequences (⿰馬馬) draw a character that has no code point; a part converted draws another.
_IDS_OPERATORS = {chr(code): 2 for code in range(0x2FF0, 0x2FFE)} | {"⿲": 3, "⿳": 3, "⿾": 1, "⿿": 1, "㇯": 2}
_IDS_OPERATOR = re.compile(f"[{''.join(_IDS_OPERATORS)}]")


class Converted(NamedTuple):
    """Simplified text, how it lies on its original, and by which chain it was made from which script."""

    text: str
    alignment: Alignment
    variant: Variant
    script: Script


class _Match(NamedTuple):
    start: int
    end: int
    value: str


@dataclass(frozen=True)
class _Stage:
    """One group of dictionaries, compiled.

    `table`: code point -> code point, shape (0x110000,). `firsts`, `singles`: whether a code point starts a phrase, or
    is one, same shape. `pairs`: a Bloom filter over the first two code points of phrases, shape (2**18,). `phrases`:
    those two characters, or the one of a single -> (key, value) in the order in which they are tried.
    """

    table: Codes
    firsts: npt.NDArray[np.bool_]
    singles: npt.NDArray[np.bool_]
    pairs: npt.NDArray[np.bool_]
    phrases: dict[str, tuple[tuple[str, str], ...]]


def simplify(doc: Document, config: ConvertConfig) -> Document:
    """Return the document with simplified `text`, its `alignment`, `script` and the `variant` that was used."""
    converted = convert(doc.original, config.variant)
    return replace(
        doc,
        text=converted.text,
        alignment=converted.alignment,
        script=converted.script,
        variant=converted.variant,
    )


def convert(text: str, variant: str = "auto") -> Converted:
    """Convert text to simplified Chinese.

    `variant` is the chain: t2s (any traditional text), tw2s and hk2s (standards of Taiwan and Hong Kong), tw2sp and
    hk2sp (the same, and regional words become those of the mainland), none, or auto, which lets `detect` choose.

    Raises:
        UsageError: there is no such variant.

    >>> convert("政府資訊公開", "tw2sp").text
    '政府信息公开'
    """
    script, detected = detect(text)
    chosen = detected if variant == "auto" else variant
    if chosen == "none":
        return Converted(text, Alignment(), "none", script)
    if chosen not in get_args(Variant):
        raise UsageError(f'no variant "{variant}"; valid variants: auto, {", ".join(get_args(Variant))}')
    simplified, edits = _run_chain(text, chosen)
    return Converted(simplified, Alignment(tuple(edits)), chosen, script)  # type: ignore[arg-type]


def _run_chain(text: str, variant: str) -> tuple[str, list[Edit]]:
    unified = _decode(_unifier()[_encode(text)])
    frozen = _description_sequences(unified)
    regional = _REGIONAL.get(variant)
    if regional is None:
        return _apply(_stage(_TO_SIMPLIFIED), unified, frozen, [])
    cuts = _segment_cuts(unified, frozen)
    middle, first = _apply(_stage(regional), unified, frozen, cuts)
    if first:
        alignment = Alignment(tuple(first))
        frozen = _description_sequences(middle)
        cuts = [alignment.to_text(cut, cut)[0] for cut in cuts]
    final, second = _apply(_stage(_TO_SIMPLIFIED), middle, frozen, cuts)
    return final, _compose(first, second)


def _encode(text: str) -> Codes:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _decode(codes: Codes) -> str:
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


@cache
def _unifier() -> Codes:
    return _table(dictionaries.compatibility_ideographs())


def _table(pairs: dict[str, str]) -> Codes:
    table = np.arange(_CODE_POINTS, dtype="<u4")
    for key, value in pairs.items():
        if len(key) == len(value) == 1:
            table[ord(key)] = ord(value)
    return table


@cache
def _stage(names: tuple[str, ...]) -> _Stage:
    """Compile a group. One-character keys go to the table, unless a later dictionary has longer ones."""
    characters: dict[str, str] = {}
    phrases: list[tuple[str, str]] = []
    for i, name in enumerate(names):
        pairs = dictionaries.load(name)
        later = {key[0] for other in names[i + 1 :] for key in dictionaries.load(other) if len(key) > 1}
        plain = {key for key, value in pairs.items() if len(key) == len(value) == 1 and key not in later}
        characters = {key: pairs[key] for key in plain} | characters
        phrases += sorted(((key, pairs[key]) for key in pairs.keys() - plain), key=lambda pair: (-len(pair[0]), pair))
    return _compile(characters, phrases)


def _compile(characters: dict[str, str], order: Sequence[tuple[str, str]]) -> _Stage:
    firsts, singles = np.zeros((2, _CODE_POINTS), dtype=np.bool_)
    pairs = np.zeros(_PAIR_SLOTS, dtype=np.bool_)
    heads = {key[:2] for key, _ in order}
    phrases: dict[str, list[tuple[str, str]]] = {head: [] for head in heads}
    for key, value in order:
        firsts[ord(key[0])] = True
        if len(key) > 1:
            pairs[_pair_slots(_encode(key[0]), _encode(key[1]))] = True
            phrases[key[:2]].append((key, value))
        else:
            singles[ord(key)] = True
            for head in heads:
                if head[0] == key:
                    phrases[head].append((key, value))
    return _Stage(_table(characters), firsts, singles, pairs, {head: tuple(tail) for head, tail in phrases.items()})


_PAIR_SLOTS = 1 << 18


def _pair_slots(first: Codes, second: Codes) -> Any:
    return (first * np.uint32(0x9E3779B1) ^ second * np.uint32(0x85EBCA6B)) >> np.uint32(14)


def _apply(stage: _Stage, text: str, frozen: list[_Match], cuts: list[int]) -> tuple[str, list[Edit]]:
    """Run one stage; return the new text and the edits where lengths differ, in the new text's ruler."""
    codes = _encode(text)
    converted = _decode(stage.table[codes])
    matches = _matches(stage, text, codes, frozen, cuts)
    if not matches:
        return converted, []
    pieces, edits, done, shift = [], [], 0, 0
    for start, end, value in matches:
        pieces.append(converted[done:start])
        pieces.append(value)
        if len(value) != end - start:
            edits.append((start + shift, len(value), end - start))
            shift += len(value) - (end - start)
        done = end
    pieces.append(converted[done:])
    return "".join(pieces), edits


def _matches(stage: _Stage, text: str, codes: Codes, frozen: list[_Match], cuts: list[int]) -> list[_Match]:
    matches: list[_Match] = []
    done = 0
    for start, kept in _candidates(stage, codes, frozen):
        if start < done:
            continue
        match = kept or _match_at(stage, text, start, cuts)
        if match is not None:
            matches.append(match)
            done = match.end
    return matches


def _candidates(stage: _Stage, codes: Codes, frozen: list[_Match]) -> Iterable[tuple[int, _Match | None]]:
    """Return the places where a phrase may start, in order, and the spans that must stay as they are."""
    places = np.flatnonzero(stage.firsts[codes])
    heads = codes[places]
    seconds = codes.take(places + 1, mode="clip")
    places = places[stage.pairs[_pair_slots(heads, seconds)] | stage.singles[heads]]
    if not frozen:
        return ((place, None) for place in places.tolist())
    spots: list[tuple[int, _Match | None]] = [(match.start, match) for match in frozen]
    spots += [(place, None) for place in places.tolist()]
    return sorted(spots, key=lambda spot: (spot[0], spot[1] is None))


def _match_at(stage: _Stage, text: str, start: int, cuts: list[int]) -> _Match | None:
    limit = len(text)
    if cuts and (i := bisect_right(cuts, start)) < len(cuts):
        limit = cuts[i]
    head = text[start : start + 2]
    for key, value in stage.phrases.get(head) or stage.phrases.get(head[0], ()):
        if text.startswith(key, start) and start + len(key) <= limit:
            return _Match(start, start + len(key), value)
    return None


def _segment_cuts(text: str, frozen: list[_Match]) -> list[int]:
    """Return the places that no match may cross: both ends of every phrase of `TSPhrases` and every frozen span."""
    matches = _matches(_stage(_SEGMENTS), text, _encode(text), frozen, [])
    return sorted({place for match in matches for place in (match.start, match.end)})


def _description_sequences(text: str) -> list[_Match]:
    """Return the ideographic description sequences of the text, which stay as they are."""
    matches: list[_Match] = []
    for found in _IDS_OPERATOR.finditer(text):
        start = found.start()
        if matches and start < matches[-1].end:
            continue
        end = _description_end(text, start)
        if end:
            matches.append(_Match(start, end, text[start:end]))
    return matches


def _description_end(text: str, start: int) -> int:
    """Return where the sequence that starts here ends, or 0 if it is not complete."""
    wanted = 1
    for i in range(start, len(text)):
        wanted += _IDS_OPERATORS.get(text[i], 0) - 1
        if wanted == 0:
            return i + 1
    return 0


def _compose(first: list[Edit], second: list[Edit]) -> list[Edit]:
    """Return the edits of two steps as one: `first` made the middle text from the original, `second` the text from it.

    Edits that overlap in the middle text become one.
    """
    if not first or not second:
        return first or second
    # Spans in the middle text: (start, end, growth towards the original, growth towards the text).
    spans = [(position, position + length, before - length, 0) for position, length, before in first]
    shift = 0
    for position, length, middle in second:
        spans.append((position - shift, position - shift + middle, 0, length - middle))
        shift += length - middle
    merged: list[list[int]] = []
    for start, end, before, after in sorted(spans):
        if merged and start < merged[-1][1]:
            last = merged[-1]
            merged[-1] = [last[0], max(last[1], end), last[2] + before, last[3] + after]
        else:
            merged.append([start, end, before, after])
    edits, shift = [], 0
    for start, end, before, after in merged:
        edits.append((start + shift, end - start + after, end - start + before))
        shift += after
    return edits


def detect(text: str) -> tuple[Script, Variant]:
    """Return the script of a text and the chain that suits it.

    Characters that only one script has decide the script; characters and words that only one region uses decide
    between Taiwan (tw2sp), Hong Kong (hk2sp) and neither (t2s).
    """
    counts = np.bincount(_scripts()[_encode(text)], minlength=3)
    hans, hant = int(counts[1]), int(counts[2])
    if not hant:
        return ("hans" if hans else "none"), "none"
    share = hant / (hans + hant)
    if share < 0.1:
        return "hans", "none"
    return ("hant" if share > 0.9 else "mixed"), _region(text)


@cache
def _scripts() -> npt.NDArray[np.uint8]:
    """Return code point -> 1 if only simplified text has it, 2 if only traditional text has it, else 0."""
    to_simplified, to_traditional = dictionaries.load("TSCharacters"), dictionaries.load("STCharacters")
    several = dictionaries.alternatives("STCharacters") | dictionaries.alternatives("TSCharacters")
    table = np.zeros(_CODE_POINTS, dtype=np.uint8)
    for key, value in to_traditional.items():
        if key != value and key not in several.get(key, ()) and key not in to_simplified:
            table[ord(key)] = 1
    for key, value in to_simplified.items():
        if key != value and key not in several.get(key, ()) and key not in to_traditional:
            table[ord(key)] = 2
    return table


def _region(text: str) -> Variant:
    taiwan = sum(text.count(mark) for mark in _TAIWAN)
    hong_kong = sum(text.count(mark) for mark in _HONG_KONG)
    mainland = sum(text.count(mark) for mark in _MAINLAND)
    if max(taiwan, hong_kong) <= mainland:
        return "t2s"
    return "tw2sp" if taiwan >= hong_kong else "hk2sp"
