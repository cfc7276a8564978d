"""Does a result hang on the segmenter? The same passages cut in other ways, and how far the cuts agree.

A trend that changes when the engine changes, or when the domain words go, is a trend of the dictionary. The engine room
repeats it with each instrument of `instruments` and sets the rows side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policytext.config import SegmentConfig
from policytext.records import Passage
from policytext.segment.passages import Segmenter


@dataclass(frozen=True)
class Instrument:
    """One way to cut: its name for a table, and the segmenter."""

    name: str
    segmenter: Segmenter

    def recut(self, passages: Iterable[Passage]) -> list[Passage]:
        """Return the same passages with the words that this instrument finds."""
        return [replace(passage, words=self.segmenter.cut(passage.text)) for passage in passages]


def instruments(config: SegmentConfig, words: Iterable[str] = ()) -> tuple[Instrument, ...]:
    """Return the configured way to cut, the other engine, and the configured engine without domain words, in order."""
    domain = tuple(words)
    other = replace(config, engine="jieba" if config.engine == "rjieba" else "rjieba")
    return (
        Instrument(config.engine, Segmenter(config, domain)),
        Instrument(other.engine, Segmenter(other, domain)),
        Instrument(f"{config.engine}, no domain words", Segmenter(config)),
    )


def agreement(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    """Return the share of word boundaries that two cuts of the same texts have in common.

    Boundaries inside the texts count, those at their ends do not: |A and B| / |A or B|; 1.0 where there are none.

    >>> agreement([("数字", "政府")], [("数字政府",)])
    0.0
    """
    common = either = 0
    for words, others in zip(first, second, strict=True):
        here, there = _boundaries(words), _boundaries(others)
        common += len(here & there)
        either += len(here | there)
    return common / either if either else 1.0


def _boundaries(words: Sequence[str]) -> set[int]:
    places: set[int] = set()
    place = 0
    for word in words[:-1]:
        place += len(word)
        places.add(place)
    return places
