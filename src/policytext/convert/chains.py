"""Chains of dictionaries: exact as OpenCC, at the speed of a table look-up, with the places where lengths change.

A variant is a chain. Compatibility ideographs are unified; the chains of Taiwan and Hong Kong cut the text where a
phrase of `TSPhrases` lies, and nothing matches across a cut (OpenCC's mmseg segmentation); then each stage replaces
phrases, from left to right, and every other character through a table. In a stage the first dictionary that has a
match wins, with its longest key (OpenCC's `short_circuit` policy).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from policytext import dictionaries
from policytext.errors import UsageError
from policytext.records import Alignment

Variant = Literal["none", "t2s", "tw2s", "tw2sp", "hk2s", "hk2sp"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
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
# Ideographic description sequences (⿰馬馬) draw a character that has no code point; a part converted draws another.
_IDS_OPERATORS = {chr(code): 2 for code in range(0x2FF0, 0x2FFE)} | {"⿲": 3, "⿳": 3, "⿾": 1, "⿿": 1, "㇯": 2}
_IDS_OPERATOR = re.compile(f"[{''.join(_IDS_OPERATORS)}]")


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


def variant_of(name: str) -> Variant:
    """Return the chain of that name.

    Raises:
        UsageError: there is none.
    """
    for variant in VARIANTS:
        if variant == name:
            return variant
    raise UsageError(f'no variant "{name}"; valid variants: auto, {", ".join(VARIANTS)}')


def run(text: str, variant: Variant) -> tuple[str, list[Edit]]:
    """Return the simplified text and the edits where lengths differ, in its own ruler; `none` changes nothing."""
    if variant == "none":
        return text, []
    unified = decode(_unifier()[encode(text)])
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
    return final, compose(first, second)


def regional_words(text: str, variant: Variant) -> list[tuple[int, int]]:
    """Return the spans that a chain with regional words replaces as words; empty for the other chains."""
    if variant not in ("tw2sp", "hk2sp"):
        return []
    unified = decode(_unifier()[encode(text)])
    frozen = _description_sequences(unified)
    matches = _matches(_stage(_REGIONAL[variant]), unified, encode(unified), frozen, _segment_cuts(unified, frozen))
    return [(match.start, match.end) for match in matches]


def encode(text: str) -> Codes:
    """Return the code points of a text, shape (characters,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def decode(codes: Codes) -> str:
    """Return the text of code points."""
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
            pairs[_pair_slots(encode(key[0]), encode(key[1]))] = True
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
    codes = encode(text)
    converted = decode(stage.table[codes])
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
    matches = _matches(_stage(_SEGMENTS), text, encode(text), frozen, [])
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


def compose(first: list[Edit], second: list[Edit]) -> list[Edit]:
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
    edits: list[Edit] = []
    shift = 0
    for start, end, before, after in merged:
        edit = (start + shift, end - start + after, end - start + before)
        if edits and edits[-1][0] == edit[0] and edits[-1][1] == edit[1] == 0:  # two deletions at one place
            edit = (edit[0], 0, edits.pop()[2] + edit[2])
        edits.append(edit)
        shift += after
    return edits
