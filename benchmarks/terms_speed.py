"""How fast terms are found, beside pyahocorasick (and ahocorasick-rs if it is installed), in one run.

    python benchmarks/terms_speed.py ../shared/corpora/cn_gwr_national.jsonl.gz [MORE ...]

Prints millions of characters a second on one core: the codebook's strings by each automaton (finding alone, into
arrays), then the lexicon and the pattern layer as the tagger calls them.
"""

import gzip
import importlib.util
import itertools
import json
import sys
import time

import ahocorasick
import numpy as np

from policytext import codebook, config
from policytext.convert import convert
from policytext.tag.lexicon import Lexicon
from policytext.tag.patterns import Patterns
from policytext.tag.scan import Scanner

MAX_CHARS = 3_000_000


def paragraphs(paths):
    texts, size = [], 0
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for text in convert(json.loads(line)["text"]).text.split("\n"):
                    if text and size < MAX_CHARS:
                        texts.append(text)
                        size += len(text)
    return texts


def pyahocorasick(terms):
    automaton = ahocorasick.Automaton(ahocorasick.STORE_INTS)
    for number, term in enumerate(terms):
        automaton.add_word(term, number)
    automaton.make_automaton()
    return lambda text: np.fromiter(itertools.chain.from_iterable(automaton.iter(text)), dtype=np.int64)


def ahocorasick_rs(terms):
    import ahocorasick_rs as rs

    automaton = rs.AhoCorasick(terms)
    return lambda text: np.array(automaton.find_matches_as_indexes(text, overlapping=True))


def rate(function, argument, size):
    best = min(timed(function, argument) for _ in range(3))
    return size / best / 1e6


def timed(function, argument):
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


def main(paths):
    texts = paragraphs(paths)
    joined, size = "\n".join(texts), sum(map(len, texts))
    book = codebook.load(config.data_root() / "configs" / "codebooks" / "digital_government.toml")
    lists = [label.terms for label in book.labels] + [group.terms for group in book.groups]
    parts = (step.terms for terms in lists for term in terms for step in codebook.steps(term))
    terms = sorted({term for part in parts for term in part})
    print(f"{size:,} characters, {len(texts):,} passages, {len(terms):,} strings; million characters/s:")
    scanner = Scanner(terms)
    print(f"  Scanner          {rate(lambda t: list(scanner.scan(t)), texts, size):6.1f}")
    print(f"  pyahocorasick    {rate(pyahocorasick(terms), joined, size):6.1f}")
    if importlib.util.find_spec("ahocorasick_rs"):
        print(f"  ahocorasick-rs   {rate(ahocorasick_rs(terms), joined, size):6.1f}")
    print(f"  Lexicon          {rate(Lexicon(book).find_many, texts, size):6.1f}")
    print(f"  Patterns         {rate(Patterns(book).matrix, texts, size):6.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
