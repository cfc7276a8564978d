"""Compare the tags of the traditional and the simplified version of passages.

    python benchmarks/tag_scripts.py ORACLE_PYTHON [--sample 3000]

ORACLE_PYTHON is the interpreter of a virtual environment of its own with the official OpenCC (see convert_oracle.py),
which makes the other version: s2t, s2tw and s2hk of simplified passages, t2s of traditional ones. Passages are drawn by
hash, half of them among those that a label is decided for: of the others nearly all agree whatever happens. The figure
for the texts as they are weighs the two halves by how many passages of the corpora they stand for.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from convert_oracle import ask

from policytext import config as configs
from policytext import convert, engine, robustness

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"
SIMPLIFIED = ("cn_gwr_national", "cn_local_govdocs", "cn_news_xwlb", "cn_commentary_ruanyf_weekly", "cn_laws_national")
TRADITIONAL = ("hk_cnews_govtech", "tw_transcripts_audreyt", "tw_laws")


def paragraphs(names: Sequence[str], wanted: int) -> list[str]:
    """Return paragraphs of 40 to 400 characters, the same number a corpus, those with the smallest hashes."""
    found: list[str] = []
    for name in names:
        texts = {text for text in _texts(CORPORA / f"{name}.jsonl.gz") if 40 <= len(text) <= 400}
        found += sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())[: 10 * wanted // len(names)]
    return found


def _texts(path: Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield from json.loads(line)["text"].split("\n")


def tags(texts: Sequence[str], rooms: engine.Rooms) -> list[set[str]]:
    """Return the labels decided yes of each text."""
    return robustness.decided([convert.convert(text, rooms.config.convert.variant).text for text in texts], rooms)


def _share(
    wrong: list[tuple[str, set[str]]], chosen: list[str], labels: dict[str, set[str]], *, labelled: bool
) -> float:
    """Return what passages with a label, or without one, add to the share that differ in the whole pool."""
    of_pool = sum(bool(found) == labelled for found in labels.values()) / len(labels)
    drawn = sum(bool(labels[text]) == labelled for text in chosen)
    return of_pool * sum(bool(labels[text]) == labelled for text, _ in wrong) / max(1, drawn)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("oracle")
    parser.add_argument("--sample", type=int, default=3000, help="passages a script")
    asked = parser.parse_args()
    rooms = engine.build(configs.load())
    for names, chains in ((SIMPLIFIED, ("s2t", "s2tw", "s2hk")), (TRADITIONAL, ("t2s",))):
        pool = paragraphs(names, asked.sample)
        labels = dict(zip(pool, tags(pool, rooms), strict=True))
        chosen = [text for text in pool if labels[text]][: asked.sample // 2]
        chosen += [text for text in pool if not labels[text]][: asked.sample - len(chosen)]
        for chain in chains:
            again = tags(list(ask(asked.oracle, chain, chosen)), rooms)
            differ = [(text, labels[text] ^ found) for text, found in zip(chosen, again, strict=True)]
            wrong = [(text, labels) for text, labels in differ if labels]
            decided = sum(map(len, (labels[text] for text in chosen)))
            whole = sum(_share(wrong, chosen, labels, labelled=found) for found in (True, False))
            print(
                f"{chain:5s} {len(chosen):,} passages, {decided:,} tags: same tags {1 - len(wrong) / len(chosen):.2%} "
                f"of passages, {1 - whole:.2%} weighed as in the texts; "
                f"{sum(len(found) for _, found in wrong)} tags differ"
            )
            for text, labels_ in wrong[:5]:
                print(f"      {', '.join(sorted(labels_))}: {text[:40]}")


if __name__ == "__main__":
    main()
