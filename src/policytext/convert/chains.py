"""Chains of dictionaries: exact as OpenCC, at the speed of a table look-up, with the places where lengths change.

A variant is a chain. Compatibility ideographs are unified; the chains of Taiwan and Hong Kong cut the text where a
phrase of `TSPhrases` lies, and nothing matches across a cut (OpenCC's mmseg segmentation); then each stage replaces
phrases, from left to right, and every other character through a table. In a stage the first dictionary that has a
match wins, with its longest key (OpenCC's `short_circuit` policy).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from policytext import dictionaries
from policytext.convert.stages import (
    CODE_POINTS,
    Codes,
    Edit,
    Stage,
    apply,
    compiled,
    decode,
    encode,
    matches,
    table_of,
)
from policytext.errors import UsageError
from policytext.records import Alignment

Variant = Literal["none", "t2s", "tw2s", "tw2sp", "tw2sg", "hk2s", "hk2sp", "hk2sg", "twg", "hkg"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)

_SEGMENTS = ("TSPhrases",)
_TO_SIMPLIFIED = ("TSPhrases", "TSCharacters")
_REGIONAL = {
    "tw2s": ("TWVariantsRevPhrases", "TWVariantsRev"),
    "tw2sp": ("TWPhrasesRev", "TWVariantsRevPhrases", "TWVariantsRev"),
    "tw2sg": ("TWWords", "TWVariantsRevPhrases", "TWVariantsRev"),
    "hk2s": ("HKVariantsRevPhrases", "HKVariantsRev"),
    "hk2sp": ("HKPhrasesRev", "HKVariantsRevPhrases", "HKVariantsRev"),
    "hk2sg": ("HKWords", "HKVariantsRevPhrases", "HKVariantsRev"),
}
_WORDS_ONLY = {"twg": "TWWords", "hkg": "HKWords"}  # the text is in simplified characters already
# Ideographic description sequences (⿰馬馬) draw a character that has no code point; a part converted draws another.
_IDS_OPERATORS = {chr(code): 2 for code in range(0x2FF0, 0x2FFE)} | {"⿲": 3, "⿳": 3, "⿾": 1, "⿿": 1, "㇯": 2}
_IDS_OPERATOR = re.compile(f"[{''.join(_IDS_OPERATORS)}]")


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
    text, codes, has_sequences = _unify(text)
    if has_sequences:
        return _run_around_sequences(text, variant)
    return _run_plain(text, codes, variant)


def _unify(text: str) -> tuple[str, Codes, bool]:
    """Unify compatibility ideographs; return text, code points, and whether a description sequence may be there."""
    codes = encode(text)
    notable = _notable().take(codes)
    if not notable.any():
        return text, codes, False
    codes = _unifier().take(codes)
    return decode(codes), codes, bool((notable == 2).any())


@cache
def _notable() -> npt.NDArray[np.uint8]:
    """Return code point -> 1 for compatibility ideographs, 2 for operators of description sequences, else 0."""
    table = np.zeros(CODE_POINTS, dtype=np.uint8)
    table[[ord(mark) for mark in dictionaries.compatibility_ideographs()]] = 1
    table[[ord(mark) for mark in _IDS_OPERATORS]] = 2
    return table


def _run_plain(text: str, codes: Codes, variant: Variant) -> tuple[str, list[Edit]]:
    if variant in _WORDS_ONLY:
        text, _, edits = apply(_words_in_simplified(_WORDS_ONLY[variant]), text, codes)
        return text, edits
    simplify = _stage(_TO_SIMPLIFIED)
    regional = _REGIONAL.get(variant)
    if regional is None:
        text, _, edits = apply(simplify, text, codes)
        return text, edits
    cuts = _segment_cuts(text, codes)
    middle, codes, first = apply(_stage(regional), text, codes, cuts)
    if first and cuts:
        alignment = Alignment(tuple(first))
        cuts = [alignment.to_text(cut, cut)[0] for cut in cuts]
    final, _, second = apply(simplify, middle, codes, cuts)
    return final, compose(first, second)


def _run_around_sequences(text: str, variant: Variant) -> tuple[str, list[Edit]]:
    """Run the chain over what stands between ideographic description sequences, which stay as they are."""
    pieces: list[str] = []
    edits: list[Edit] = []
    done = place = 0
    for start, end in [*_description_sequences(text), (len(text), len(text))]:
        piece = text[done:start]
        converted, changes = _run_plain(piece, encode(piece), variant)
        edits += [(place + position, length, before) for position, length, before in changes]
        pieces += converted, text[start:end]
        place += len(converted) + end - start
        done = end
    return "".join(pieces), edits


def regional_words(text: str, variant: Variant) -> list[tuple[int, int]]:
    """Return the spans that a chain with regional words replaces as words; empty for the other chains."""
    text, codes, _ = _unify(text)
    if variant in _WORDS_ONLY:
        words = matches(_words_in_simplified(_WORDS_ONLY[variant]), text, codes)
        return [(start, end) for start, end, _ in words]
    if variant not in ("tw2sp", "tw2sg", "hk2sp", "hk2sg"):
        return []
    words = matches(_stage(_REGIONAL[variant]), text, codes, _segment_cuts(text, codes))
    return [(start, end) for start, end, _ in words]


@cache
def _words_in_simplified(name: str) -> Stage:
    """Compile a list of regional words with its keys in simplified characters."""
    pairs = {run(key, "t2s")[0]: value for key, value in dictionaries.load(name).items()}
    rows = sorted(pairs.items(), key=lambda pair: (-len(pair[0]), pair))
    return compiled({}, rows, frozenset(key for key, value in rows if key == value))


@cache
def _unifier() -> Codes:
    return table_of(dictionaries.compatibility_ideographs())


@cache
def _stage(names: tuple[str, ...]) -> Stage:
    """Compile a group. One-character keys go to the table, unless a later dictionary has longer ones."""
    characters: dict[str, str] = {}
    phrases: list[tuple[str, str]] = []
    for i, name in enumerate(names):
        pairs = dictionaries.load(name)
        later = {key[0] for other in names[i + 1 :] for key in dictionaries.load(other) if len(key) > 1}
        plain = {key for key, value in pairs.items() if len(key) == len(value) == 1 and key not in later}
        characters = {key: pairs[key] for key in plain} | characters
        phrases += sorted(((key, pairs[key]) for key in pairs.keys() - plain), key=lambda pair: (-len(pair[0]), pair))
    return compiled(characters, phrases, _quiet(characters, phrases, last=names == _TO_SIMPLIFIED))


def _quiet(characters: dict[str, str], phrases: list[tuple[str, str]], *, last: bool) -> frozenset[str]:
    """Return the phrases of a stage whose replacement makes no difference to the end of the chain.

    Before the last stage two characters come to the same if the last one simplifies them alike, and no phrase of the
    last stage has either of them.
    """
    after = {} if last else dictionaries.load("TSCharacters")
    within = set() if last else {mark for key in dictionaries.load("TSPhrases") for mark in key}

    def alike(mark: str, other: str) -> bool:
        plain = characters.get(mark, mark)
        if plain == other:
            return True
        return not last and after.get(plain, plain) == after.get(other, other) and not {plain, other} & within

    first = dict(reversed(phrases))  # of two values for a key the one that is tried first counts
    return frozenset(key for key, value in first.items() if len(key) == len(value) and all(map(alike, key, value)))


def _segment_cuts(text: str, codes: Codes) -> list[int]:
    """Return the places that no match may cross: both ends of every phrase of `TSPhrases`."""
    cuts: list[int] = []
    for start, end, _ in matches(_stage(_SEGMENTS), text, codes):
        cuts += (start, end) if not cuts or cuts[-1] < start else (end,)
    return cuts


def _description_sequences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the complete ideographic description sequences of a text."""
    spans: list[tuple[int, int]] = []
    for found in _IDS_OPERATOR.finditer(text):
        start = found.start()
        if (not spans or start >= spans[-1][1]) and (end := _description_end(text, start)):
            spans.append((start, end))
    return spans


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
