"""Check on random and on real documents that nothing is lost: alignment round trip, passages and words tile.

python benchmarks/convert_roundtrip.py [CORPUS.jsonl.gz ...] [--random 10000] [--every 1]

It prints the number of documents and of failures, the first of them with the document; with one it exits with 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from policytext import convert, segment
from policytext.config import ConvertConfig, SegmentConfig
from policytext.records import Document

PIECES = [
    "資訊",
    "網際網路",
    "程式",
    "軟體",
    "數位",
    "著作",
    "乾隆",
    "頭髮",
    "一、",
    "（一）",
    "第一章",
    "。",
    "，",
    "：",
    "；",
    "😀",
    "〇",
    "⿰馬馬",
    "⿱",
    "埠",
    "裡面",
    "为",
    "A1",
    "唐鳳：",
    "１２",
    "。",
    "个人",
    "数据",
    "のを",
    "𠮷",
    "\ue2e5",
    "金",
    "\ud800",
    "\u200b",
    "\ufeff",
    "3．5",
    "政府",
    "数",
    "字",
    "-",
    "附件：",
    "2020年1月1日",
    "衞",
    "龘",
    "\x00",
]
GAPS = ("\n", "\n\n", "\r\n", "\u3000", " ", "\t", "\xa0", "\u2028")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", type=Path)
    parser.add_argument("--random", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=1, help="take every nth document of a corpus")
    arguments = parser.parse_args()
    segmenter = segment.Segmenter(SegmentConfig())
    failures = 0
    sources = {"random": random_texts(arguments.random)}
    sources |= {path.name.split(".")[0]: texts(path, arguments.every) for path in arguments.corpora}
    for name, source in sources.items():
        documents = characters = 0
        for text, title in source:
            documents, characters = documents + 1, characters + len(text)
            for problem in problems(text, title, segmenter):
                failures += 1
                if failures <= 20:
                    print(f"{name}, document {documents}: {problem}")
        print(f"{name:30} {documents:>7,} documents {characters:>12,} characters")
    print(f"{failures} failures")
    sys.exit(failures > 0)


def random_texts(number: int) -> Iterator[tuple[str, str | None]]:
    dice = random.Random(20)  # noqa: S311
    for _ in range(number):
        pieces = []
        for _ in range(dice.randrange(60)):
            pieces.append(dice.choice(PIECES) if dice.random() < 0.8 else chr(dice.randrange(0x3000, 0xA000)))
            if dice.random() < 0.15:
                pieces.append(dice.choice(GAPS))
        yield "".join(pieces), None


def texts(path: Path, every: int) -> Iterator[tuple[str, str | None]]:
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        for row in islice(rows, 0, None, every):
            document = json.loads(row)
            yield document["text"], document.get("title")


def problems(text: str, title: str | None, segmenter: segment.Segmenter) -> Iterator[str]:
    """Yield what does not hold for one document."""
    raw = Document(id="", path="", member=0, sha256="", original=text, text=text, title=title)
    for variant in ("auto", "tw2sp") if len(text) < 2_000 else ("auto",):
        doc = convert.simplify(raw, ConvertConfig(variant=variant))
        yield from alignment_problems(doc)
    done = 0
    for passage in segmenter.split(doc):
        if passage.start < done or doc.text[done : passage.start].strip():
            yield f"passage {passage.n} does not follow the one before it"
        if not passage.text == doc.text[passage.start : passage.end] == "".join(passage.words):
            yield f"passage {passage.n}: span, text and words differ"
        done = passage.end
    if doc.text[done:].strip():
        yield "the end of the text lies in no passage"


def alignment_problems(doc: Document) -> Iterator[str]:
    """Yield what is wrong with the alignment: stretches between edits, and spans there and back."""
    place = original_place = 0
    for start, length, before in (*doc.alignment.edits, (len(doc.text), 0, 0)):
        stretch = start - place
        if stretch < 0 or min(length, before) < 0:
            yield f"the edit at {start} lies inside the one before it"
        place, original_place = start + length, original_place + stretch + before
    if original_place != len(doc.original):
        yield f"the alignment ends at {original_place} of {len(doc.original)} characters of the original"
    dice = random.Random(len(doc.text))  # noqa: S311
    for _ in range(min(30, len(doc.text))):
        first = dice.randrange(len(doc.text))
        last = min(len(doc.text), first + dice.randrange(1, 30))
        there = doc.alignment.to_original(first, last)
        back = doc.alignment.to_text(*there)
        if not back[0] <= first < last <= back[1] and there[0] < there[1]:
            yield f"span {first}-{last} comes back as {back}"
        if doc.alignment.to_original(*back) != there:
            yield f"span {there} of the original is not stable"


if __name__ == "__main__":
    main()
