"""The ambiguity ledger: where the conversion had a choice, what it chose and what else it could have been."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from policytext import dictionaries
from policytext.convert import chains, normalise
from policytext.convert.chains import Variant
from policytext.records import Alignment, Document


@dataclass(frozen=True)
class Ambiguity:
    """A span of the simplified text whose original could have been read otherwise.

    `character`: a traditional character with several simplified ones (乾: 干 or 乾). `region`: a word of Taiwan or
    Hong Kong that became another word (資料: 数据, literally 资料). `merged`: a simplified character that stands for
    several traditional ones (后: 后 or 後), in text that was simplified already.
    """

    start: int
    end: int
    kind: Literal["character", "region", "merged"]
    chosen: str
    others: tuple[str, ...]


def ambiguities(doc: Document) -> list[Ambiguity]:
    """Return where the conversion of a document had a choice, in the order of its text.

    A tag whose span overlaps one of them rests on that choice; `others` says what else the original could mean.
    """
    variant = chains.variant_of(doc.variant or "none")
    if variant == "none":
        return _merged(doc.text)
    characters = _merged(doc.text) if variant in ("twg", "hkg") else _characters(doc)
    return sorted(characters + _regional(doc, variant), key=lambda found: (found.start, found.end))


def _characters(doc: Document) -> list[Ambiguity]:
    readings = _readings()
    found: list[Ambiguity] = []
    for place, mark in enumerate(doc.original):
        if mark in readings:
            start, end = doc.alignment.to_text(place, place + 1)
            chosen = doc.text[start:end]
            others = tuple(value for value in readings[mark] if value != chosen)
            if chosen in readings[mark] and others:
                found.append(Ambiguity(start, end, "character", chosen, others))
    return found


def _regional(doc: Document, variant: Variant) -> list[Ambiguity]:
    """Return the regional words; where they stand is known on the ruler of the tidy text, so that comes first."""
    tidy, edits = normalise.tidy(doc.original, from_hong_kong=variant.startswith("hk"))
    before = Alignment(tuple(edits))
    plain: Variant = "hk2s" if variant.startswith("hk") else "tw2s"
    found: list[Ambiguity] = []
    for start, end in chains.regional_words(tidy, variant):
        first, last = doc.alignment.to_text(*before.to_original(start, end))
        literal = chains.run(tidy[start:end], plain)[0]
        if doc.text[first:last] not in (literal, tidy[start:end]):
            found.append(Ambiguity(first, last, "region", doc.text[first:last], (literal,)))
    return found


def _merged(text: str) -> list[Ambiguity]:
    several = _merges()
    return [
        Ambiguity(place, place + 1, "merged", mark, several[mark]) for place, mark in enumerate(text) if mark in several
    ]


@cache
def _readings() -> dict[str, tuple[str, ...]]:
    """Return traditional character -> its simplified ones, from the dictionary of characters and that of phrases."""
    characters = dictionaries.load("TSCharacters")
    readings: dict[str, dict[str, None]] = {}
    for mark, values in dictionaries.alternatives("TSCharacters").items():
        usual = [value for value in values if ord(value) < 0xA000]  # the others are analogies that nobody writes
        readings[mark] = dict.fromkeys([characters.get(mark, mark), *usual])
    for key, value in dictionaries.load("TSPhrases").items():
        for mark, other in zip(key, value, strict=True):
            usual_one = characters.get(mark, mark)
            if other != usual_one:
                readings.setdefault(mark, {usual_one: None})[other] = None
    return {mark: tuple(values) for mark, values in readings.items() if len(values) > 1}


@cache
def _merges() -> dict[str, tuple[str, ...]]:
    """Return simplified character -> the traditional ones that it merges (后: 後 后)."""
    several = dictionaries.alternatives("STCharacters")
    return {mark: values for mark, values in several.items() if sum(ord(value) < 0xA000 for value in values) > 1}
