"""Words: rjieba by default, jieba as its reference, each in an instance of its own with the domain words added."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import rjieba

from policytext.config import SegmentConfig
from policytext.errors import ConfigError

Cut = Callable[[str], tuple[str, ...]]


def load(path: Path) -> tuple[str, ...]:
    """Read a file of domain words, one a line; blank lines and lines that start with # do not count.

    Raises:
        ConfigError: there is no such file.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file of domain words; check [segment] words in the config") from None
    return tuple(word for line in lines if (word := line.partition("#")[0].strip()))


def cutter(config: SegmentConfig, words: Iterable[str] = ()) -> Cut:
    """Return a function that cuts a text into words which tile it: `"".join(cut(text)) == text`.

    The order of `words` does not matter. Each engine is an instance of its own; the shared ones stay as they are.
    """
    domain = sorted({word for word in words if len(word) > 1 and not any(mark.isspace() for mark in word)})
    cut = _jieba(domain) if config.engine == "jieba" else _rjieba(domain)
    return lambda text: _tile(text, cut)


def _rjieba(domain: list[str]) -> Callable[[str], list[str]]:
    engine = rjieba.Jieba()
    for word in domain:
        engine.add_word(word, engine.suggest_freq(word), None)
    return engine.cut


def _jieba(domain: list[str]) -> Callable[[str], list[str]]:
    import jieba  # the reference engine: what it costs to load, the default need not pay

    jieba.setLogLevel(logging.WARNING)
    engine = jieba.Tokenizer()
    engine.initialize()
    for word in domain:
        engine.add_word(word, engine.suggest_freq(word))
    return engine.lcut  # type: ignore[no-any-return]


def _tile(text: str, cut: Callable[[str], list[str]]) -> tuple[str, ...]:
    try:
        return tuple(cut(text))
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 and so rjieba cannot take
        return _tile_around_surrogates(text, cut)


def _tile_around_surrogates(text: str, cut: Callable[[str], list[str]]) -> tuple[str, ...]:
    safe = "".join("�" if "\ud800" <= mark <= "\udfff" else mark for mark in text)
    words: list[str] = []
    done = 0
    for word in cut(safe):
        words.append(text[done : done + len(word)])
        done += len(word)
    return tuple(words)
