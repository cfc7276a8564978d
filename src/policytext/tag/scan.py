"""Find every occurrence of thousands of terms in one pass over many texts.

The terms form a trie; NumPy walks it from all positions at once, so that the common case, a character that starts no
term, costs one table look-up. On 2 million characters of policy text and 2,000 terms this ran at 40 million
characters/s on one core, pyahocorasick at 4.6 and ahocorasick-rs at 6.5 (`benchmarks/terms_speed.py`). The tests use
pyahocorasick as the oracle.

Matching rules, the same for labels and groups:

- Full-width Latin letters and digits equal their ASCII forms.
- A term without capitals matches in any case; a term with capitals matches as written (as ripgrep's smart case).
- A term that starts or ends with a Latin letter does not match inside a longer Latin word: "AI" is not in "said".
- `#` in a term stands for one digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

# Larger arrays fall out of the processor's cache: 2 million characters a batch ran 3 times slower.
BATCH_CHARS = 400_000
_DIGITS = "0123456789"
_CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Batch:
    """Some texts laid end to end, a newline after each, and the terms found in them.

    `points` are code points. `bounds[i]` is where text `first + i` starts, with one more entry at the end. `term`,
    `start`, `end` are one entry an occurrence, in no particular order; positions are those of `points`.
    """

    first: int
    bounds: Ints
    points: NDArray[np.uint32]
    term: Ints
    start: Ints
    end: Ints

    @cached_property
    def _texts(self) -> Ints:
        """Index of the text of every code point."""
        return np.repeat(np.arange(len(self.bounds) - 1, dtype=np.int32), np.diff(self.bounds))

    def text_of(self, positions: Ints) -> Ints:
        """Return, for each position, the index of its text counted from `first`."""
        return self._texts[positions]


class Scanner:
    """All occurrences of `terms`, overlapping ones included; the caller decides which count."""

    def __init__(self, terms: Sequence[str]) -> None:
        self.terms = tuple(terms)
        spelled = [(spelling, number) for number, term in enumerate(self.terms) for spelling in _spellings(term)]
        self._ids = _character_ids("".join(spelling for spelling, _ in spelled))
        self._width = int(self._ids.max()) + 1
        self._grow(spelled)
        self._exact = np.array([term != term.lower() for term in self.terms], dtype=bool)
        self._latin_start = np.array([_is_latin(term[:1]) for term in self.terms], dtype=bool)
        self._latin_end = np.array([_is_latin(term[-1:]) for term in self.terms], dtype=bool)
        self._picky = self._exact | self._latin_start | self._latin_end

    def _grow(self, spelled: list[tuple[str, int]]) -> None:
        """Build the trie: `_term[state]`, transitions as sorted keys `state * width + character`."""
        step: dict[tuple[int, int], int] = {}
        endings: list[list[int]] = [[]]
        for spelling, number in spelled:
            state = 0
            for letter in spelling:
                key = (state, int(self._ids[ord(letter)]))
                if key not in step:
                    step[key] = len(endings)
                    endings.append([])
                state = step[key]
            endings[state].append(number)
        self._depth = max((len(spelling) for spelling, _ in spelled), default=0)
        self._flat = np.array([number for numbers in endings for number in numbers], dtype=np.int32)
        self._count = np.array([len(numbers) for numbers in endings], dtype=np.int32)
        self._offset = np.concatenate([[0], np.cumsum(self._count)]).astype(np.int32)
        keys = np.array([state * self._width + character for state, character in step], dtype=np.int64)
        order = np.argsort(keys)
        self._keys = keys[order]
        self._next = np.array(list(step.values()), dtype=np.int32)[order]
        self._leaf = np.ones(len(endings), dtype=bool)
        self._leaf[[state for state, _ in step]] = False
        self._pairs = np.zeros(self._width * self._width, dtype=np.int32)  # the first two steps in one look-up
        self._single = np.zeros(self._width, dtype=np.int32)  # state after one character, where a term ends there
        for (state, character), target in step.items():
            if state == 0 and endings[target]:
                self._single[character] = target
        seconds = {target: character for (state, character), target in step.items() if state == 0}
        for (state, character), target in step.items():
            if state in seconds:
                self._pairs[seconds[state] * self._width + character] = target

    def scan(self, texts: Sequence[str]) -> Iterator[Batch]:
        """Yield batches that together hold every text once, in order."""
        first = 0
        while first < len(texts):
            last, size = first, 0
            while last < len(texts) and (last == first or size + len(texts[last]) < BATCH_CHARS):
                size += len(texts[last]) + 1
                last += 1
            yield self._scan(texts[first:last], first)
            first = last

    def _scan(self, texts: Sequence[str], first: int) -> Batch:
        bounds = np.concatenate([[0], np.cumsum([len(text) + 1 for text in texts])]).astype(np.int32)
        joined = "\n".join(texts) + "\n"
        points = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        term, start, end = self._walk(points)
        return Batch(first, bounds, points, *self._allowed(joined, points, term, start, end))

    def _walk(self, points: NDArray[np.uint32]) -> tuple[Ints, Ints, Ints]:
        """Return (term, start, end) of every occurrence, spelling not yet checked."""
        padded = np.zeros(len(points) + self._depth + 1, dtype=np.int32)
        np.take(self._ids, points, out=padded[: len(points)], mode="clip")
        states, starts, depths = [], [], []
        if self._single.any():
            state = self._single.take(padded[: len(points)])
            position = np.flatnonzero(state)
            states, starts, depths = [state[position]], [position], [np.ones(len(position), dtype=np.int32)]
        pair = padded[: len(points)] * np.int32(self._width)
        pair += padded[1 : len(points) + 1]
        state = self._pairs.take(pair)
        position = np.flatnonzero(state)
        state, depth = state[position], 2
        while len(position):
            hit = np.flatnonzero(self._count[state])
            states.append(state[hit])
            starts.append(position[hit])
            depths.append(np.full(len(hit), depth, dtype=np.int32))
            position, state = self._step(padded, position, state, depth)
            depth += 1
        return self._unfold(states, starts, depths)

    def _step(
        self, padded: Ints, position: NDArray[np.int64], state: Ints, depth: int
    ) -> tuple[NDArray[np.int64], Ints]:
        """Follow the trie by one character; positions that find no way on drop out."""
        alive = np.flatnonzero(~self._leaf[state])
        position, state = position[alive], state[alive]
        character = padded[position + depth]
        key = state.astype(np.int64) * self._width + character
        index = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        found = np.flatnonzero((self._keys[index] == key) & (character > 0))
        return position[found], self._next[index[found]]

    def _unfold(
        self, states: list[Ints], starts: list[NDArray[np.int64]], depths: list[Ints]
    ) -> tuple[Ints, Ints, Ints]:
        """Turn trie states into terms; a state can end several."""
        if not states:
            empty = np.zeros(0, dtype=np.int32)
            return empty, empty, empty
        term, row = unfold(np.concatenate(states), self._offset, self._flat)
        start = np.concatenate(starts).astype(np.int32)[row]
        end: Ints = start + np.concatenate(depths)[row]
        return term, start, end

    def _allowed(
        self, joined: str, points: NDArray[np.uint32], term: Ints, start: Ints, end: Ints
    ) -> tuple[Ints, Ints, Ints]:
        """Drop occurrences inside longer Latin words, and those whose capitals differ."""
        picky = np.flatnonzero(self._picky[term])
        if not len(picky):
            return term, start, end
        latin = _latin_points(points)
        before = latin[start[picky] - 1] & (start[picky] > 0) & self._latin_start[term[picky]]
        after = latin[np.minimum(end[picky], len(points) - 1)] & self._latin_end[term[picky]]
        wrong = before | after
        for i in np.flatnonzero(~wrong & self._exact[term[picky]]).tolist():
            which = picky[i]
            wrong[i] = _same_case(joined[start[which] : end[which]], self.terms[term[which]]) is False
        keep = np.ones(len(term), dtype=bool)
        keep[picky[wrong]] = False
        return term[keep], start[keep], end[keep]


def unfold(rows: Ints, offset: Ints, flat: Ints) -> tuple[Ints, NDArray[np.int64]]:
    """Replace each row by its list, `flat[offset[row]:offset[row + 1]]`; return the values and each one's row."""
    counts = offset[rows + 1] - offset[rows]
    row = np.repeat(np.arange(len(rows)), counts)
    within = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    return flat[offset[rows][row] + within], row


def outermost(owner: Ints, start: Ints, end: Ints) -> NDArray[np.int64]:
    """Return indices of the spans that lie inside no other span of the same owner, ordered by owner, then start.

    Of equal spans the first is kept. This is the rule of longest match: 数据 inside 公共数据 counts once for an owner
    that has both; spans that only overlap both count.
    """
    width = np.int64(end.max(initial=0)) + 1
    longest = np.int64((end - start).max(initial=0)) + 1
    base = owner.astype(np.int64) * width
    order = sorting((base + start) * longest + (longest - 1 - (end - start)))
    reach = (base + end)[order]  # rises over owners, so one running maximum serves all
    before = np.maximum.accumulate(np.concatenate([[-1], reach[:-1]])) if len(order) else reach
    kept: NDArray[np.int64] = order[reach > before]
    return kept


def sorting(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the stable order of keys that are not negative, as `argsort(kind="stable")` does, 5 times as fast.

    NumPy sorts plain int64 with vector instructions, so the index rides along in the low digits where there is room.
    """
    size = max(len(key), 1)
    if int(key.max(initial=0)) >= np.iinfo(np.int64).max // size - 1:
        return np.argsort(key, kind="stable")
    return np.sort(key * size + np.arange(len(key))) % size


def _spellings(term: str) -> Iterator[str]:
    """Yield what the trie holds for a term: lower case, narrow, one string for each digit that a # can be."""
    parts = [_DIGITS if character == "#" else character for character in _fold(term)]
    for combination in product(*parts):
        yield "".join(combination)


def _fold(text: str) -> str:
    return _narrow(text).lower()


def _narrow(text: str) -> str:
    return "".join(chr(ord(c) - 0xFEE0) if "！" <= c <= "～" and chr(ord(c) - 0xFEE0).isalnum() else c for c in text)


def _character_ids(characters: str) -> NDArray[np.int32]:
    """Return a table from code point to a small number above 0, for characters of the terms and their variants."""
    table = np.zeros(_CODE_POINTS, dtype=np.int32)
    for number, character in enumerate(sorted(set(characters)), 1):
        variants = [character]
        if character.isascii() and character.isalnum():
            variants += [character.upper()]
            variants += [chr(ord(variant) + 0xFEE0) for variant in variants]
        for variant in variants:
            table[ord(variant)] = number
    return table


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _latin_points(points: NDArray[np.uint32]) -> NDArray[np.bool_]:
    lower = points | 0x20
    latin: NDArray[np.bool_] = (lower >= ord("a")) & (lower <= ord("z"))
    return latin


def _same_case(found: str, term: str) -> bool:
    found = _narrow(found)
    return len(found) == len(term) and all(t in (f, "#") for f, t in zip(found, _narrow(term), strict=True))
