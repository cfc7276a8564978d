"""One stage of a chain: a group of dictionaries, compiled so that only places where a phrase may start are looked at.

Text is an array of code points. A table replaces characters; two small tables and a hash say where a phrase may start;
what starts there is tried in the order of the dictionaries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Edit = tuple[int, int, int]  # position in the new text, length there, length in the old text
Match = tuple[int, int, str]  # start, end, what stands there instead

CODE_POINTS = 0x110000
_OPENINGS = 1 << 20
_SINGLE = 1 << 31
_FEW = 100  # fewer places cost less to look at than to filter
_NO_CUTS: tuple[int, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One group of dictionaries, compiled.

    `table`: code point -> code point. `leads`: code point -> as bits 0 to 30, the residues modulo 31 of the code points
    that follow it at the head of a phrase, and as bit 31 whether it is a phrase by itself. `follows`: code point -> the
    bit of its residue where it is second in a phrase. All three of shape (0x110000,). `openings`: hash of the first
    three code points of a phrase, or of two where that is all, -> whether there is one, shape (2**20,). `phrases`: the
    first two characters, or the one of a single -> (key, its length, value) in the order in which they are tried.
    `quiet`: those that need no replacement, because character by character the text comes to the same (they still
    guard their span).
    """

    table: Codes
    leads: Codes
    follows: Codes
    openings: npt.NDArray[np.bool_]
    has_singles: bool
    phrases: dict[str, tuple[tuple[str, int, str], ...]]
    quiet: frozenset[str] = frozenset()


def encode(text: str) -> Codes:
    """Return the code points of a text, shape (characters,)."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def decode(codes: Codes) -> str:
    """Return the text of code points."""
    return codes.tobytes().decode("utf-32-le", "surrogatepass")


def table_of(pairs: dict[str, str]) -> Codes:
    """Return code point -> code point for the pairs of single characters."""
    table = np.arange(CODE_POINTS, dtype="<u4")
    for key, value in pairs.items():
        if len(key) == len(value) == 1:
            table[ord(key)] = ord(value)
    return table


def compiled(
    characters: dict[str, str], order: Sequence[tuple[str, str]], quiet: frozenset[str] = frozenset()
) -> Stage:
    """Compile pairs of characters and, in the order in which they are tried, of phrases."""
    leads, follows = np.zeros((2, CODE_POINTS), dtype=np.uint32)
    openings = np.zeros(_OPENINGS, dtype=np.bool_)
    phrases: dict[str, list[tuple[str, int, str]]] = {key[:2]: [] for key, _ in order}
    for key, value in order:
        entry = (key, len(key), value)
        if len(key) > 1:
            follows[ord(key[1])] = 1 << ord(key[1]) % 31
            leads[ord(key[0])] |= 1 << ord(key[1]) % 31
            openings[_opening(*map(encode, key[:3]))] = True
            phrases[key[:2]].append(entry)
        else:
            leads[ord(key)] |= _SINGLE
            for head, tail in phrases.items():
                if head[0] == key:
                    tail.append(entry)
    singles = any(len(key) == 1 for key, _ in order)
    tried = {head: tuple(tail) for head, tail in phrases.items()}
    return Stage(table_of(characters), leads, follows, openings, singles, tried, quiet)


def _opening(first: Codes, second: Codes, third: Codes | int = 0) -> Any:
    """Return a hash of two or three code points, 20 bits (multipliers of xxHash, whose high bits mix well)."""
    mixed = first * np.uint32(0x9E3779B1) ^ second * np.uint32(0x85EBCA6B)
    return (mixed ^ third * np.uint32(0xC2B2AE35)) >> np.uint32(12)


def apply(stage: Stage, text: str, codes: Codes, cuts: Sequence[int] = _NO_CUTS) -> tuple[str, Codes, list[Edit]]:
    """Run one stage, with no match across a cut.

    Returns:
        The new text, its code points, and the edits where lengths differ, in the new text's ruler.
    """
    converted = stage.table.take(codes)
    new = decode(converted)
    pieces: list[str] = []
    edits: list[Edit] = []
    done = shift = 0
    for start, end, value in _match(stage, text, _places(stage, codes), cuts, stage.quiet):
        pieces.append(new[done:start])
        pieces.append(value)
        if len(value) != end - start:
            edits.append((start + shift, len(value), end - start))
            shift += len(value) - (end - start)
        done = end
    if not pieces:
        return new, converted, []
    pieces.append(new[done:])
    new = "".join(pieces)
    return new, encode(new), edits


def matches(stage: Stage, text: str, codes: Codes, cuts: Sequence[int] = _NO_CUTS) -> list[Match]:
    """Return the phrases of a text from left to right, none across a cut: start, end, value."""
    return list(_match(stage, text, _places(stage, codes), cuts))


def _places(stage: Stage, codes: Codes) -> list[int]:
    """Return the places where a phrase may start, in order."""
    leads, follows = stage.leads.take(codes), stage.follows.take(codes)
    places = np.flatnonzero((leads[:-1] & follows[1:]) != 0)
    if len(places) > _FEW:
        first, second = codes.take(places), codes.take(places + 1)
        third = codes.take(places + 2, mode="clip")
        opens = stage.openings.take(_opening(first, second)) | stage.openings.take(_opening(first, second, third))
        places = places[opens]
    if stage.has_singles and len(singles := np.flatnonzero(leads >= _SINGLE)):
        places = np.union1d(places, singles)
    found: list[int] = places.tolist()
    return found


def _match(
    stage: Stage, text: str, places: list[int], cuts: Sequence[int], quiet: frozenset[str] = frozenset()
) -> Iterator[Match]:
    phrases = stage.phrases
    barriers = iter([*cuts, len(text)])
    done = limit = 0
    for start in places:
        if start < done:
            continue
        while limit <= start:
            limit = next(barriers)
        for key, length, value in phrases.get(text[start : start + 2]) or phrases.get(text[start], ()):
            end = start + length
            if end <= limit and text.startswith(key, start):
                done = end
                if key not in quiet:
                    yield start, end, value
                break
