"""Patterns over words, by spaCy's Matcher, for what a string cannot say; tried only where an anchor occurs.

A spaCy Doc costs more than the segmentation, so a passage without an anchor never becomes one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from policytext.codebook import Codebook, TokenPattern
from policytext.errors import CodebookError
from policytext.tag.scan import Ints
from policytext.tag.terms import Owner, TermFinder

Row = tuple[int, int, int, int, int]  # text, label, pattern, start, end
_HEAVY = ("cupy", "torch")


class Spacy:
    """spaCy, which is imported when a pattern first asks for it.

    thinc, which spaCy brings, loads PyTorch where it is installed: seconds and memory for which a Matcher has no use.
    In a notebook somebody may want it later; a worker (`own_process`) does without.
    """

    own_process = False

    @classmethod
    def load(cls) -> None:
        """Import spaCy."""
        hidden = [name for name in _HEAVY if cls.own_process and "spacy" not in sys.modules and name not in sys.modules]
        modules: dict[str, Any] = sys.modules
        modules.update(dict.fromkeys(hidden))  # None says that there is no such module
        try:
            import spacy  # noqa: F401
        finally:
            for name in hidden:
                del modules[name]


class TokenPatterns:
    """The token patterns of a codebook's labels. `names` says what each is, as its note or its anchors."""

    def __init__(self, codebook: Codebook) -> None:
        self._patterns = [
            (number, label.id, pattern) for number, label in enumerate(codebook.labels) for pattern in label.patterns
        ]
        self.names = tuple(pattern.note or "|".join(pattern.anchors) for _, _, pattern in self._patterns)
        self._anchors = TermFinder([Owner(pattern.anchors) for _, _, pattern in self._patterns])
        self._needed = [_needed(json.loads(pattern.tokens)) for _, _, pattern in self._patterns]

    def find(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Return columns text, label, pattern, start, end. `words` tile their texts.

        Raises:
            CodebookError: spaCy does not accept a pattern.
        """
        rows = list(self._rows(texts, words)) if self._patterns else []
        table = np.array(rows, dtype=np.int32).reshape(len(rows), 5)
        return tuple(table.T)  # type: ignore[return-value]

    def _rows(self, texts: Sequence[str], words: Sequence[Sequence[str]]) -> Iterator[Row]:
        for text, wanted in self._anchored(texts).items():
            doc = self._doc(words[text])
            for pattern in sorted(wanted):
                for _, first, last in self._matchers[pattern](doc):
                    span = doc[first:last]
                    yield text, self._patterns[pattern][0], pattern, span.start_char, span.end_char

    def _anchored(self, texts: Sequence[str]) -> dict[int, set[int]]:
        """Return for each text with an anchor the patterns to try: all that they ask for by name stands in it."""
        wanted: dict[int, set[int]] = {}
        for batch in self._anchors.batches(texts):
            found = self._anchors.find(batch)
            places = (batch.first + batch.text_of(found.start)).tolist()
            for text, pattern in set(zip(places, found.owner.tolist(), strict=True)):
                if all(any(word in texts[text] for word in words) for words in self._needed[pattern]):
                    wanted.setdefault(text, set()).add(pattern)
        return dict(sorted(wanted.items()))

    def _doc(self, words: Sequence[str]) -> Any:
        vocab = self._vocab  # first: it loads spaCy as it should be
        from spacy.tokens import Doc

        return Doc(vocab, words=list(words), spaces=[False] * len(words))

    @cached_property
    def _vocab(self) -> Any:
        """Words with no more attributes than patterns ask for: working out all takes ten times as long a new word."""
        Spacy.load()
        import spacy
        from spacy.attrs import IDS
        from spacy.vocab import Vocab

        asked = {
            key.upper() for _, _, pattern in self._patterns for token in json.loads(pattern.tokens) for key in token
        }
        ids = {IDS[key] for key in asked if key in IDS}
        whole: Any = spacy.blank("xx").vocab
        getters = {key: getter for key, getter in whole.lex_attr_getters.items() if key in ids}
        return Vocab(lex_attr_getters=getters)

    @cached_property
    def _matchers(self) -> list[Any]:
        """One matcher a pattern, each keeping only the longest of overlapping matches."""
        problems = self.problems()
        if problems:
            raise CodebookError(problems[0])
        return [self._matcher(pattern) for _, _, pattern in self._patterns]

    def problems(self) -> list[str]:
        """Return what spaCy does not accept, each with its label; what needs a trained pipeline (POS, LEMMA) too."""
        Spacy.load()
        from spacy.errors import MatchPatternError

        found = []
        for name, (_, label, pattern) in zip(self.names, self._patterns, strict=True):
            try:
                self._matcher(pattern)(self._doc([*pattern.anchors, "字"]))
            except (MatchPatternError, ValueError, TypeError, KeyError, re.error) as error:
                reason = " ".join(str(error).split())[:200]
                found.append(f'label "{label}", pattern "{name}": spaCy rejects the tokens: {reason}')
        return found

    def _matcher(self, pattern: TokenPattern) -> Any:
        from spacy.matcher import Matcher

        matcher = Matcher(self._vocab, validate=True)
        matcher.add("pattern", [json.loads(pattern.tokens)], greedy="LONGEST")
        return matcher


def _needed(tokens: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the words that must occur for a pattern to match: of each list, one.

    >>> _needed([{"TEXT": "提高"}, {"OP": "*"}, {"TEXT": {"IN": ["效率", "效能"]}}, {"TEXT": "了", "OP": "?"}])
    [['提高'], ['效率', '效能']]
    """
    found = []
    for token in tokens:
        text = token.get("TEXT", token.get("ORTH"))
        words = text.get("IN", []) if isinstance(text, dict) else [text]
        if words and all(isinstance(word, str) for word in words) and token.get("OP", "1") in ("1", "+"):
            found.append(list(words))
    return found
