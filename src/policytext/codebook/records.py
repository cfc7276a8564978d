"""What a codebook holds: dimensions, labels, what they mean, and the terms and patterns that point at them."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from policytext.errors import CodebookError


@dataclass(frozen=True)
class Example:
    """A passage written for the codebook, and whether the label applies to it."""

    text: str
    applies: bool
    why: str = ""


@dataclass(frozen=True)
class TokenPattern:
    """What a string cannot say: a spaCy `Matcher` pattern over words, tried only where an anchor term occurs.

    `tokens` is the pattern as JSON, because a frozen record holds no dicts.
    """

    anchors: tuple[str, ...]
    tokens: str
    note: str = ""


@dataclass(frozen=True)
class Label:
    """One label of a dimension. `name` and `definition` are Chinese, `name_en` and `definition_en` English."""

    id: str  # dimension.name
    name: str
    name_en: str
    definition: str
    definition_en: str
    not_when: str = ""
    not_when_en: str = ""
    terms: tuple[str, ...] = ()  # simplified; each occurrence is evidence
    excluded: tuple[str, ...] = ()  # longer strings inside which a term does not count: 天赋权利 for 赋权
    patterns: tuple[TokenPattern, ...] = ()
    examples: tuple[Example, ...] = ()

    @property
    def dimension(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]


@dataclass(frozen=True)
class Group:
    """Terms counted together, as one number a passage: one rare term says little, forty of a kind say much.

    A term is a string, or parts with gaps ("提高|提升 .. 效率", see `steps`). `label` is the label that the group
    speaks for, `against` the one it speaks against; neither for plain vocabulary that relations refer to.
    """

    id: str
    terms: tuple[str, ...]
    about: str = ""
    label: str | None = None
    against: str | None = None
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Relation:
    """Clauses, sentences or passages in which something of each part of `all` occurs, and nothing of `none`.

    A part is written like a part of a gap term: "@technology|平台". The key in the file is `not`.
    """

    id: str
    all: tuple[str, ...]
    none: tuple[str, ...] = ()
    within: Literal["clause", "sentence", "passage"] = "clause"
    about: str = ""
    label: str | None = None
    against: str | None = None


@dataclass(frozen=True)
class Flag:
    """A form of passage, by a regular expression at its start: a statute's article, a speaker's turn."""

    id: str
    starts: str
    about: str = ""


@dataclass(frozen=True)
class Dimension:
    """A question that labels answer. `decided_by`: a classifier learnt from hand labels, or the terms alone."""

    id: str
    name: str
    name_en: str
    decided_by: Literal["classifier", "terms"] = "terms"


@dataclass(frozen=True)
class Codebook:
    """What the labels mean."""

    id: str
    version: str
    title: str
    title_en: str
    dimensions: tuple[Dimension, ...]
    labels: tuple[Label, ...]
    rules: tuple[str, ...] = ()
    rules_en: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    relations: tuple[Relation, ...] = ()
    flags: tuple[Flag, ...] = ()
    variants: tuple[tuple[str, ...], ...] = ()  # words that stand for one another inside longer terms: 信息, 资讯

    def label(self, label_id: str) -> Label:
        """Return a label by id.

        Raises:
            CodebookError: there is no such label; the message names the nearest ones.
        """
        for label in self.labels:
            if label.id == label_id:
                return label
        near = difflib.get_close_matches(label_id, [label.id for label in self.labels], n=3, cutoff=0.3)
        raise CodebookError(f'codebook {self.id}: no label "{label_id}"; nearest: {", ".join(near) or "none"}')

    def ids(self, decided_by: str | None = None) -> tuple[str, ...]:
        """Return label ids in the codebook's order, of all dimensions or those decided in one way."""
        kinds = {dimension.id: dimension.decided_by for dimension in self.dimensions}
        return tuple(label.id for label in self.labels if decided_by in (None, kinds[label.dimension]))

    def sha256(self) -> str:
        """Return a hash over everything that can change a tag or its meaning."""
        return hashlib.sha256(json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()).hexdigest()
