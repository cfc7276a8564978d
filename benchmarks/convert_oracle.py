"""Compare our conversion with the official OpenCC, character by character: agreement and every disagreement.

python benchmarks/convert_oracle.py ORACLE_PYTHON [CORPUS.jsonl.gz ...] [--variants t2s,tw2sp] [--list 40]

ORACLE_PYTHON is the interpreter of a virtual environment of its own into which `pip install OpenCC` went: both
distributions install a package named opencc, so the official one never goes where policytext is installed. Besides
the corpora, every key of the dictionaries and every traditional side of STPhrases is compared, alone and between two
characters that match nothing, and pairs of keys that overlap.
"""

from __future__ import annotations

import argparse
import difflib
import gzip
import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from policytext import convert, dictionaries

VARIANTS = ("t2s", "tw2s", "tw2sp", "hk2s", "hk2sp")
NAMES = (
    *("TSCharacters", "TSPhrases", "STCharacters", "STPhrases", "TWPhrasesRev", "TWVariantsRev"),
    *("TWVariantsRevPhrases", "HKPhrasesRev", "HKVariantsRev", "HKVariantsRevPhrases"),
)
ORACLE = """
import json, sys, opencc
converter = opencc.OpenCC(sys.argv[1])
for line in sys.stdin:
    print(json.dumps(converter.convert(json.loads(line))))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracle")
    parser.add_argument("corpora", nargs="*", type=Path)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--list", type=int, default=40, help="how many disagreements to print, the most frequent first")
    arguments = parser.parse_args()
    sources = {"dictionary keys": dictionary_keys(), "overlapping keys": overlapping_keys()}
    sources |= {path.name.split(".")[0]: documents(path) for path in arguments.corpora}
    for variant in arguments.variants.split(","):
        compare(arguments.oracle, variant, sources, arguments.list)


def dictionary_keys() -> list[str]:
    """Return every word that a dictionary knows, in both scripts, alone and inside a text."""
    words: set[str] = set()
    for name in NAMES:
        for key, value in dictionaries.load(name).items():
            words |= {key, value}
    return sorted(words) + [f"在{word}中" for word in sorted(words)]


def overlapping_keys(number: int = 20_000) -> list[str]:
    """Return pairs of phrases where one ends as the other starts: here the order of matching shows."""
    keys = {key for name in NAMES if "ST" not in name for key in dictionaries.load(name) if len(key) > 1}
    heads: dict[str, list[str]] = {}
    for key in keys:
        for place in range(1, len(key)):
            heads.setdefault(key[:place], []).append(key)
    pairs = {
        key + other[len(key) - place :]
        for key in keys
        for place in range(1, len(key))
        for other in heads.get(key[place:], ())
    }
    return sorted(pairs, key=lambda pair: hashlib.sha256(pair.encode()).digest())[:number]


def documents(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in lines]


def compare(oracle: str, variant: str, sources: dict[str, list[str]], limit: int) -> None:
    for source, texts in sources.items():
        expected = ask(oracle, variant, texts)
        wrong: Counter[tuple[str, str, str]] = Counter()
        different = 0
        for text, theirs in zip(texts, expected, strict=True):
            ours = convert.convert(text, variant).text
            if ours != theirs:
                for size, *sample in disagreements(ours, theirs):
                    different += size
                    wrong[tuple(sample)] += 1
        total = sum(map(len, texts))
        share = 1 - different / total
        print(f"{variant:6} {source:28} {total:>10,} characters, {different:>6} differ: agreement {share:.6%}")
        for (mine, theirs, context), count in wrong.most_common(limit):
            print(f"       {count:>6} x ours {mine!r}, OpenCC {theirs!r} in {context!r}")


def ask(oracle: str, variant: str, texts: Iterable[str]) -> Iterator[str]:
    """Return what the official OpenCC makes of each text."""
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    command = [oracle, "-c", ORACLE, variant]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    return (json.loads(line) for line in done.stdout.splitlines())


def disagreements(ours: str, theirs: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield size in characters, our and their reading, and what stands around it."""
    if "\n" in ours and ours.count("\n") == theirs.count("\n"):
        for mine, other in zip(ours.split("\n"), theirs.split("\n"), strict=True):
            if mine != other:
                yield from disagreements(mine, other)
        return
    for kind, i, j, k, m in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            yield max(j - i, m - k), ours[i:j], theirs[k:m], ours[max(0, i - 3) : j + 3]


if __name__ == "__main__":
    main()
