"""The entry: choose the chain, tidy the text, convert it, and say how the result lies on the original."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from policytext.config import ConvertConfig
from policytext.convert import chains, normalise, scripts
from policytext.convert.chains import Variant
from policytext.convert.stages import Edit, encode
from policytext.records import Alignment, Document, Script

_REGIONS: dict[str, Variant] = {"TW": "tw2sg", "HK": "hk2sg", "MO": "hk2sg"}
_TOLD = "region: told by the forms and words of the text"


class Converted(NamedTuple):
    """Simplified text, how it lies on its original, and by which chain it was made from which script."""

    text: str
    alignment: Alignment
    variant: Variant
    script: Script


def simplify(doc: Document, config: ConvertConfig) -> Document:
    """Return the document with simplified, tidy `text`, its `alignment`, and the `script` and `variant` it had.

    Besides characters and words, what stands in the way of reading is set right (see `normalise`); `original` stays.
    A region that the source does not state is taken from the forms and words of traditional text, and noted as such.
    """
    script, variant = _choose(doc.original, config.variant)
    if config.variant == "auto" and variant != "none":
        variant = _REGIONS.get(doc.region or "", variant)  # what the source declares is surer than its words
    tidy, first = normalise.tidy(doc.original, from_hong_kong=variant.startswith("hk"))
    text, second, variant = _run(tidy, variant, script, auto=config.variant == "auto")
    alignment = Alignment(tuple(chains.compose(first, second)))
    done = replace(doc, text=text, alignment=alignment, script=script, variant=variant)
    region = {"tw": "TW", "hk": "HK"}.get(variant[:2]) if config.variant == "auto" and script == "hant" else None
    if doc.region is None and region is not None:
        return replace(done, region=region, notes=(*doc.notes, _TOLD))
    return done


def convert(text: str, variant: str = "auto") -> Converted:
    """Convert text to simplified Chinese, and nothing else.

    `variant` is the chain: t2s (any traditional text), tw2s and hk2s (standards of Taiwan and Hong Kong), tw2sp and
    hk2sp (the same, and regional words become those of the mainland, as OpenCC does it for the language of computing),
    tw2sg and hk2sg (the same with a list of our own for the language of public affairs), twg and hkg (that list, for
    text that is in simplified characters already), none, or auto, which chooses by the text's own script and words and
    leaves simplified lines of a mixed text as they are.

    Raises:
        UsageError: there is no such variant.

    >>> convert("政府資訊公開", "tw2sp").text
    '政府信息公开'
    """
    script, chosen = _choose(text, variant)
    simplified, edits, chosen = _run(text, chosen, script, auto=variant == "auto")
    return Converted(simplified, Alignment(tuple(edits)), chosen, script)


def _choose(text: str, variant: str) -> tuple[Script, Variant]:
    if variant == "auto":
        return scripts.detect(text)
    return scripts.script_of(scripts.count(encode(text))), chains.variant_of(variant)


def _run(text: str, variant: Variant, script: Script, *, auto: bool) -> tuple[str, list[Edit], Variant]:
    """Run the chain over the whole text or, where `auto` met no purely traditional one, over its traditional lines."""
    if not auto or script == "hant":
        return *chains.run(text, variant), variant
    codes = encode(text)
    if script == "none" or not (scripts.kinds().take(codes) == scripts.HANT).any():
        variant = scripts.simplified_region(text) if script == "hans" else "none"
        return *chains.run(text, variant), variant
    lines = text.split("\n")
    traditional = scripts.traditional_lines(codes)
    if variant == "none":
        variant = scripts.region("\n".join(line for line, chosen in zip(lines, traditional, strict=True) if chosen))
    return _run_lines(lines, traditional, variant)


def _run_lines(lines: list[str], chosen: list[bool], variant: Variant) -> tuple[str, list[Edit], Variant]:
    if not any(chosen):
        return "\n".join(lines), [], "none"
    done: list[str] = []
    edits: list[Edit] = []
    place = 0
    for traditional, group in groupby(zip(lines, chosen, strict=True), key=itemgetter(1)):
        text = "\n".join(line for line, _ in group)
        text, changes = chains.run(text, variant if traditional else "none")
        edits += [(place + position, length, before) for position, length, before in changes]
        done.append(text)
        place += len(text) + 1
    return "\n".join(done), edits, variant
