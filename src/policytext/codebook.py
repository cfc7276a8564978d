"""The codebook: dimensions, labels, what they mean, and the terms and patterns that point at them.

A codebook is one TOML file that a researcher reads and edits; `docs/codebook.md` explains the format. Terms are
written in simplified Chinese, because matching happens after conversion.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from policytext.errors import CodebookError

GAP = 12  # characters that ".." in a term may leave between its parts, where the term gives no number of its own

_LABEL_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_GROUP_ID = re.compile(r"[a-z][a-z0-9_]*")
_GAP = re.compile(r"\s*\.\.(\d*)\s+")


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


def load(path: Path | str) -> Codebook:
    """Read and validate a codebook file.

    Raises:
        CodebookError: with the first problem, where it is and what to do. `check` lists all of them.
    """
    table = _read(Path(path))
    problems = _problems(table)
    if problems:
        raise CodebookError(f"{path}: {problems[0]}")
    return _build(table)


def check(path: Path | str) -> list[str]:
    """Return every problem of a codebook file as a sentence; an empty list means it is valid."""
    return _problems(_read(Path(path)))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CodebookError(f"{path}: no such codebook; check [tag] codebook in the config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CodebookError(f"{path}: not valid TOML: {error}") from error


@dataclass(frozen=True)
class Step:
    """One part of a term: any of `terms`, or any term of `groups`, at most `gap` characters after the part before."""

    terms: tuple[str, ...]
    groups: tuple[str, ...]
    gap: int


def steps(term: str) -> tuple[Step, ...]:
    """Read the notation of terms: `|` between alternatives, `..` for a gap within a clause, `@id` for a group's terms.

    >>> [(step.terms, step.groups, step.gap) for step in steps("提高|提升 ..8 效率 .. @gain")]
    [(('提高', '提升'), (), 0), (('效率',), (), 8), ((), ('gain',), 12)]
    """
    pieces = _GAP.split(term)  # part, gap, part, gap, part ...
    gaps = [0, *(int(gap) if gap else GAP for gap in pieces[1::2])]
    found = []
    for piece, gap in zip(pieces[::2], gaps, strict=True):
        names = [name.strip() for name in piece.split("|")]
        plain = tuple(name for name in names if not name.startswith("@"))
        found.append(Step(plain, tuple(name[1:] for name in names if name.startswith("@")), gap))
    return tuple(found)


_KEYS = {
    "codebook": {
        *("id", "version", "title", "title_en", "rules", "rules_en", "variants"),
        *("dimension", "label", "group", "relation", "flag"),
    },
    "dimension": {"id", "name", "name_en", "decided_by"},
    "label": {
        *("id", "name", "name_en", "definition", "definition_en", "not_when", "not_when_en"),
        *("terms", "excluded", "pattern", "examples"),
    },
    "example": {"text", "applies", "why"},
    "pattern": {"anchors", "tokens", "note"},
    "group": {"id", "about", "label", "against", "terms", "excluded"},
    "relation": {"id", "about", "label", "against", "within", "all", "not"},
    "flag": {"id", "about", "starts"},
}
_REQUIRED = {
    "codebook": ("id", "version", "title", "dimension", "label"),
    "dimension": ("id", "name"),
    "label": ("id", "name", "definition"),
    "example": ("text", "applies"),
    "pattern": ("anchors", "tokens"),
    "group": ("id", "terms"),
    "relation": ("id", "all"),
    "flag": ("id", "starts"),
}
_TABLES = ("dimension", "label", "group", "relation", "flag")


def _problems(table: dict[str, Any]) -> list[str]:
    problems = _key_problems("codebook", table, "the file")
    for kind in _TABLES:
        rows = table.get(kind, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return [*problems, f"{kind}s are tables: write each under [[{kind}]]"]
        problems += [
            f'{kind} "{twice}" is defined twice; remove one' for twice in _twice(row.get("id") for row in rows)
        ]
        problems += [p for row in rows for p in _key_problems(kind, row, f'{kind} "{row.get("id", "?")}"')]
    for row in table.get("dimension", []):
        if row.get("decided_by", "terms") not in ("classifier", "terms"):
            problems.append(f'dimension "{row.get("id", "?")}": decided_by must be "classifier" or "terms"')
    problems += _variant_problems(table.get("variants", []))
    dimensions = {row.get("id") for row in table.get("dimension", [])}
    problems += [p for row in table.get("label", []) for p in _label_problems(row, dimensions)]
    return [*problems, *_layer_problems(table)]


def _variant_problems(variants: Any) -> list[str]:
    if not isinstance(variants, list) or not all(
        isinstance(words, list) and all(isinstance(word, str) and word for word in words) for words in variants
    ):
        return ['variants must be a list of lists of words, such as [["信息", "资讯"], ["网络", "网路"]]']
    twice = _twice(word for words in variants for word in words)
    return [f'variants hold "{word}" twice; a word belongs to one list' for word in twice]


def _label_problems(row: dict[str, Any], dimensions: set[Any]) -> list[str]:
    where = f'label "{row.get("id", "?")}"'
    problems = []
    label_id = str(row.get("id", ""))
    if not _LABEL_ID.fullmatch(label_id):
        problems.append(f'{where}: the id must read "dimension.name" in lower-case Latin letters')
    elif label_id.partition(".")[0] not in dimensions:
        problems.append(f'{where}: there is no dimension "{label_id.partition(".")[0]}"; add a [[dimension]] for it')
    problems += _term_problems(row, where)
    for kind, key in (("example", "examples"), ("pattern", "pattern")):
        for part in row.get(key, []):
            problems += _key_problems(kind, part, f"{where}: one of its {key.rstrip('s')}s")
    return problems


def _term_problems(row: dict[str, Any], where: str) -> list[str]:
    """Problems of the lists `terms` and `excluded`, which labels and groups share."""
    problems = []
    for key, noun in (("terms", "term"), ("excluded", "context")):
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            return [f"{where}: {key} must be a list of non-empty strings"]
        problems += [f'{where} lists the {noun} "{twice}" twice; remove one' for twice in _twice(values)]
    plain = {name for term in row.get("terms", []) for step in steps(term) for name in step.terms}
    problems += [
        f'{where}: the excluded context "{context}" holds none of its terms, so it excludes nothing; remove it'
        for context in row.get("excluded", [])
        if not any(term in context for term in plain)
    ]
    return problems


def _layer_problems(table: dict[str, Any]) -> list[str]:
    """Problems of groups, relations and flags."""
    labels = {row.get("id") for row in table.get("label", [])}
    groups = {row.get("id"): row for row in table.get("group", [])}
    problems = []
    for kind in ("group", "relation", "flag"):
        for row in table.get(kind, []):
            where = f'{kind} "{row.get("id", "?")}"'
            if not _GROUP_ID.fullmatch(str(row.get("id", ""))):
                problems.append(f"{where}: the id must be one word in lower-case Latin letters, digits and _")
            problems += [
                f'{where}: {key} = "{row[key]}" is no label of this codebook{_nearest(row[key], labels)}'
                for key in ("label", "against")
                if key in row and row[key] not in labels
            ]
    for row in groups.values():
        where = f'group "{row.get("id", "?")}"'
        problems += _term_problems(row, where) or _step_problems(row.get("terms", []), groups, where, gaps=True)
    for row in table.get("relation", []):
        problems += _relation_problems(row, groups)
    for row in table.get("flag", []):
        try:
            re.compile(str(row.get("starts", "")))
        except re.error as error:
            problems.append(f'flag "{row.get("id", "?")}": starts is no regular expression: {error}')
    return problems


def _relation_problems(row: dict[str, Any], groups: dict[Any, Any]) -> list[str]:
    where = f'relation "{row.get("id", "?")}"'
    problems = []
    if row.get("within", "clause") not in ("clause", "sentence", "passage"):
        problems.append(f'{where}: within must be "clause", "sentence" or "passage"')
    for key in ("all", "not"):
        parts = row.get(key, [])
        if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
            return [*problems, f"{where}: {key} must be a list of non-empty strings"]
        problems += _step_problems(parts, groups, where, gaps=False)
    return problems


def _step_problems(terms: list[str], groups: dict[Any, Any], where: str, *, gaps: bool) -> list[str]:
    problems = []
    for term in terms:
        parts = steps(term)
        if any(not name for step in parts for name in (*step.terms, *step.groups)):
            problems.append(f'{where}: "{term}" has an empty part; check its | and ..')
        if len(parts) > 1 and not gaps:
            problems.append(f'{where}: "{term}" has a gap; put it into a group and name that as @group')
        for name in {name for step in parts for name in step.groups}:
            if name not in groups:
                problems.append(
                    f'{where}: "{term}" names the group "{name}", which does not exist{_nearest(name, groups)}'
                )
            elif gaps and any("@" in t or len(steps(t)) > 1 for t in groups[name].get("terms", [])):
                problems.append(
                    f'{where}: "{term}" names the group "{name}", which has gap terms itself; only plain groups nest'
                )
    return problems


def _key_problems(kind: str, row: dict[str, Any], where: str) -> list[str]:
    problems = []
    for key in row:
        if key not in _KEYS[kind]:
            near = difflib.get_close_matches(key, _KEYS[kind], n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"valid keys: {', '.join(sorted(_KEYS[kind]))}"
            problems.append(f'{where}: unknown key "{key}"; {hint}')
    problems += [
        f'{where}: "{key}" is missing; add it'
        for key in _REQUIRED[kind]
        if not row.get(key) and row.get(key) is not False
    ]
    return problems


def _nearest(name: object, valid: Iterable[Any]) -> str:
    near = difflib.get_close_matches(str(name), [str(v) for v in valid], n=1, cutoff=0.3)
    return f'; did you mean "{near[0]}"?' if near else ""


def _twice(values: Any) -> list[Any]:
    seen: set[Any] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]


def _build(table: dict[str, Any]) -> Codebook:
    return Codebook(
        id=table["id"],
        version=str(table["version"]),
        title=table["title"],
        title_en=table.get("title_en", table["title"]),
        rules=tuple(table.get("rules", ())),
        rules_en=tuple(table.get("rules_en", ())),
        dimensions=tuple(
            Dimension(d["id"], d["name"], d.get("name_en", d["name"]), d.get("decided_by", "terms"))
            for d in table["dimension"]
        ),
        labels=tuple(_build_label(row) for row in table["label"]),
        groups=tuple(Group(**_tuples(row)) for row in table.get("group", ())),
        relations=tuple(
            Relation(**_tuples({_RENAMED.get(k, k): v for k, v in row.items()})) for row in table.get("relation", ())
        ),
        flags=tuple(Flag(**row) for row in table.get("flag", ())),
        variants=tuple(tuple(words) for words in table.get("variants", ())),
    )


_RENAMED = {"not": "none"}  # `not` is no Python name


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


def _build_label(row: dict[str, Any]) -> Label:
    return Label(
        id=row["id"],
        name=row["name"],
        name_en=row.get("name_en", row["name"]),
        definition=row["definition"],
        definition_en=row.get("definition_en", ""),
        not_when=row.get("not_when", ""),
        not_when_en=row.get("not_when_en", ""),
        terms=tuple(row.get("terms", ())),
        excluded=tuple(row.get("excluded", ())),
        patterns=tuple(
            TokenPattern(tuple(p["anchors"]), json.dumps(p["tokens"], ensure_ascii=False), p.get("note", ""))
            for p in row.get("pattern", ())
        ),
        examples=tuple(Example(e["text"], e["applies"], e.get("why", "")) for e in row.get("examples", ())),
    )
