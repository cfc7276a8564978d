"""Measure the clustering of reprints on pairs made from real texts, and its speed at the scale of a corpus.

    python benchmarks/reprints.py [CORPORA] [--pairs 2000] [--scale 100000] [--seed 7]

CORPORA (default ../shared/corpora) is a folder of *.jsonl.gz with id, title, date, text. Of each drawn text a reprint
is made: another head (outlet, date, author) and foot (editor, disclaimer), a tenth of its sentences dropped at random,
and for half of the pairs written in traditional characters and simplified again by `policytext.convert`. Pairs that
must stay apart are different documents of one series (consecutive reports, laws, notices, issues of one source in the
order of their dates, or under titles that differ in figures alone), drawn from the same texts; texts that the corpora
hold twice are left out of both.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import json
import random
import re
import resource
import time
from collections import defaultdict
from pathlib import Path

from policytext import convert, dictionaries
from policytext.ingest import reprints

SHARED = Path(__file__).resolve().parents[2] / "shared"
HEADS = (
    "{o}\n{t}\n来源：{o} 作者：{a} {d} 10:2{k}\n",
    "{t}\n{d} 08:3{k}:00 来源： {o} 字号：大 中 小\n",
    "首页 > 要闻 > 正文\n{t}\n发布时间：{d} 信息来源：{o} 浏览次数：1{k}\n【字体：大 中 小】\n",
    "",
)
FEET = (
    "\n（责任编辑：{a}）\n相关阅读\n版权声明：凡注明来源为{o}的作品，未经授权不得转载。",
    "\n（原标题：{t}）\n本文仅代表作者个人观点，与本网无关。\n分享到：微信 微博\n上一篇：会议召开\n下一篇：工作部署",
    "\n打印本页 关闭窗口\n主办单位：{o} 备案号：京ICP备0500000{k}号",
    "",
)
OUTLETS = ("某某新闻网", "晨光日报", "南方观察网", "市政府门户网站", "时政周刊", "东部在线")
NAMES = ("王小明", "李文", "陈思远", "赵一鸣", "周敏")
Doc = tuple[str, str, str, str]  # id, title, date, simplified text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", nargs="?", type=Path, default=SHARED / "corpora")
    parser.add_argument("--pairs", type=int, default=2_000)
    parser.add_argument("--scale", type=int, default=100_000, help="documents in the run for speed; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311
    series = load(options.corpora)
    docs = [doc for found in series.values() for doc in found]
    twice = held_twice(docs)
    print(f"{len(docs)} documents of at least 200 characters; {len(twice)} of them stand in the corpora more than once")
    drawn = chance.sample([doc for doc in docs if doc[0] not in twice], min(options.pairs, len(docs)))
    made = [(doc, reprint(doc, chance, through_traditional=i % 2 == 1)) for i, doc in enumerate(drawn)]
    apart = neighbours(series, twice, options.pairs, chance)
    report(made, apart)
    if options.scale:
        measure_speed(docs, options.scale, chance)


def load(folder: Path) -> dict[str, list[Doc]]:
    """Return the texts of each file, simplified where need be, in the order of their dates."""
    series: dict[str, list[Doc]] = {}
    for file in sorted(folder.glob("*.jsonl.gz")):
        if "paragraphs" in file.name:  # loose paragraphs, taken from the other files
            continue
        found = []
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if len(row["text"]) >= 200:
                    text = row["text"] if row.get("script") == "hans" else convert.convert(row["text"]).text
                    found.append((f"{file.name}#{row['id']}", row["title"] or "", row["date"] or "", text))
        series[file.name] = sorted(found, key=lambda doc: (doc[2], doc[1], doc[0]))
    return series


def held_twice(docs: list[Doc]) -> set[str]:
    """Documents that the corpora hold in several copies, told by title and date or by text, not by what is measured."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for doc_id, title, date, text in docs:
        if title:
            groups[re.sub(r"\W", "", title), date].append(doc_id)
        groups["", re.sub(r"\W", "", text)].append(doc_id)
    return {doc_id for group in groups.values() if len(group) > 1 for doc_id in group}


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[。！？\n])", text) if part]


def reprint(doc: Doc, chance: random.Random, *, through_traditional: bool) -> str:
    """Return the text under another head and foot, with a tenth of its sentences dropped."""
    kept = [part for part in sentences(doc[3]) if chance.random() >= 0.1]
    values = {
        "o": chance.choice(OUTLETS),
        "t": doc[1],
        "a": chance.choice(NAMES),
        "d": doc[2] or "2021-03-05",
        "k": chance.randrange(10),
    }
    text = chance.choice(HEADS).format(**values) + "".join(kept) + chance.choice(FEET).format(**values)
    if not through_traditional:
        return text
    table = str.maketrans({k: v for k, v in dictionaries.load("STCharacters").items() if len(k) == len(v) == 1})
    return convert.convert(text.translate(table), "t2s").text


def neighbours(
    series: dict[str, list[Doc]], twice: set[str], count: int, chance: random.Random
) -> list[tuple[Doc, Doc]]:
    """Pairs of documents that follow each other in a series, or bear titles that differ in figures alone."""
    pairs = []
    for found in series.values():
        fresh = [doc for doc in found if doc[0] not in twice]
        pairs += list(itertools.pairwise(fresh))
        alike: dict[str, list[Doc]] = defaultdict(list)
        for doc in fresh:
            alike[re.sub(r"[\d〇一二三四五六七八九十]+", "#", doc[1])].append(doc)
        pairs += [(a, b) for group in alike.values() for a, b in itertools.pairwise(group) if a[1] or b[1]]
    return chance.sample(pairs, min(count, len(pairs)))


def report(made: list[tuple[Doc, str]], apart: list[tuple[Doc, Doc]]) -> None:
    """Cluster all texts at once and print precision and recall over the pairs."""
    texts = {doc[0]: doc[3] for doc, _ in made} | {doc[0]: doc[3] for pair in apart for doc in pair}
    texts |= {f"{doc[0]}~": text for doc, text in made}
    clusters = dict(reprints.cluster(texts.items()))
    hits = [clusters[doc[0]] == clusters[f"{doc[0]}~"] for doc, _ in made]
    wrong = [(a, b) for a, b in apart if clusters[a[0]] == clusters[b[0]]]
    for name, part in (("simplified", hits[::2]), ("through traditional", hits[1::2])):
        print(f"recall, {name:20} {sum(part)}/{len(part)} = {sum(part) / len(part):.4f}")
    print(f"recall                       {sum(hits)}/{len(hits)} = {sum(hits) / len(hits):.4f}")
    print(f"series pairs joined          {len(wrong)}/{len(apart)} = {len(wrong) / len(apart):.4f}")
    print(f"precision                    {sum(hits) / (sum(hits) + len(wrong)):.4f}")
    for a, b in wrong[:20]:
        print(f"  joined: {a[1]} ({a[2]}) and {b[1]} ({b[2]})")


def measure_speed(docs: list[Doc], count: int, chance: random.Random) -> None:
    """Cluster `count` documents: the texts again and again, each time with a third of the sentences of another."""

    def stream() -> list[tuple[str, str]]:
        made = []
        for i in range(count):
            one, other = chance.choice(docs), chance.choice(docs)
            parts = [part for part in sentences(one[3][:4000]) if chance.random() < 0.9]
            made.append((f"{i:06}", "".join(parts) + "".join(sentences(other[3][:2000])[::3])))
        return made

    texts = stream()
    characters = sum(len(text) for _, text in texts)
    began, used = time.perf_counter(), time.process_time()
    found = reprints.cluster(texts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{count} documents, {characters / 1e6:.0f} million characters: {time.perf_counter() - began:.0f} s "
        f"({time.process_time() - used:.0f} s of one core), {len({c for _, c in found})} clusters, peak {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
