"""Speed of segmentation against jieba on the same passages, in one run, and of splitting and cutting as a whole.

python benchmarks/segment_speed.py CORPUS.jsonl.gz ... [--sample 400000]

One core, processor seconds, so that other work on the machine disturbs little. jieba gets a sample of the passages;
its dictionary and the models of both engines are loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from policytext import convert, segment
from policytext.config import ConvertConfig, SegmentConfig
from policytext.records import Document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--sample", type=int, default=400_000, help="characters for jieba")
    arguments = parser.parse_args()
    docs = [doc for path in arguments.corpora for doc in documents(path)]
    ours, reference, _ = segment.instruments(SegmentConfig())
    splitting = seconds(ours.segmenter.split, docs)
    texts = [passage.text for doc in docs for passage in ours.segmenter.split(doc)]
    few = texts[:: max(1, sum(map(len, texts)) // arguments.sample)]
    cutting, slow = seconds(ours.segmenter.cut, texts), seconds(reference.segmenter.cut, few)
    fast_rate, slow_rate = sum(map(len, texts)) / cutting, sum(map(len, few)) / slow
    print(f"{len(docs):,} documents, {sum(map(len, texts)):,} characters in {len(texts):,} passages")
    print("million characters a second:")
    print(f"words, rjieba       {fast_rate / 1e6:6.2f}: {fast_rate / slow_rate:.1f} times jieba")
    print(f"words, jieba        {slow_rate / 1e6:6.2f}")
    print(f"passages and words  {sum(len(doc.text) for doc in docs) / splitting / 1e6:6.2f}")


def documents(path: Path) -> list[Document]:
    with gzip.open(path, "rt", encoding="utf-8") as rows:
        texts = [json.loads(row)["text"] for row in rows]
    docs = (Document(id="", path="", member=0, sha256="", original=text, text=text) for text in texts)
    return [convert.simplify(doc, ConvertConfig()) for doc in docs]


def seconds(work: Callable[..., object], things: Iterable[object]) -> float:
    work(next(iter(things)))
    started = time.process_time()
    for thing in things:
        work(thing)
    return time.process_time() - started


if __name__ == "__main__":
    main()
