"""Speed of conversion, alignment included, against the package in the stack and the official OpenCC, in one run.

python benchmarks/convert_speed.py ORACLE_PYTHON CORPUS.jsonl.gz ... [--variants t2s,tw2sp] [--sample 300000]

ORACLE_PYTHON is the interpreter of a virtual environment with the official OpenCC (see convert_oracle.py). Each
converter works document by document on one core; the best of five rounds counts, in processor seconds,
so that other work on the machine disturbs little. The package in the stack is so slow that it
gets a sample of the same documents.
"""

from __future__ import annotations

import argparse
import gzip
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import opencc

from policytext import convert

ORACLE = """
import json, sys, time, opencc
converter = opencc.OpenCC(sys.argv[1])
texts = json.load(sys.stdin)
best = 1e9
for _ in range(5):
    started = time.process_time()
    for text in texts:
        converter.convert(text)
    best = min(best, time.process_time() - started)
print(best)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracle")
    parser.add_argument("corpora", nargs="+", type=Path)
    parser.add_argument("--variants", default="t2s,tw2sp", help="of those that all three know")
    parser.add_argument("--sample", type=int, default=300_000, help="characters for the package in the stack")
    arguments = parser.parse_args()
    texts = [text for path in arguments.corpora for text in documents(path)]
    print(f"{len(texts):,} documents, {sum(map(len, texts)):,} characters; million characters a second")
    for variant in arguments.variants.split(","):
        report(arguments.oracle, variant, texts, arguments.sample)


def documents(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def report(oracle: str, variant: str, texts: list[str], sample: int) -> None:
    few: list[str] = []
    for text in texts[:: max(1, len(texts) // 50)]:
        if sum(map(len, few)) < sample:
            few.append(text)
    ours = rate(lambda text: convert.convert(text, variant), texts)
    stack = rate(opencc.OpenCC(variant).convert, few, rounds=2)
    command = [oracle, "-c", ORACLE, variant]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True, check=True)
    official = sum(map(len, texts)) / float(done.stdout) / 1e6
    print(f"{variant:6} policytext {ours:.1f}, with alignment")
    print(f"       {ours / official:.1f} times the official OpenCC ({official:.1f})")
    print(f"       {ours / stack:.0f} times opencc-python-reimplemented ({stack:.3f})")


def rate(work: Callable[[str], object], texts: list[str], rounds: int = 5) -> float:
    """Return million characters a second, the best of some rounds."""
    work("資訊")
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for text in texts:
            work(text)
        best = min(best, time.process_time() - started)
    return sum(map(len, texts)) / best / 1e6


if __name__ == "__main__":
    main()
