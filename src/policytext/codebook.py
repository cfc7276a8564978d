"""The codebook: dimensions, labels, what they mean, and the terms that point at them.

A codebook is one TOML file that a researcher reads and edits; `docs/codebook.md` explains the format. Terms are
written in simplified Chinese, because matching happens after conversion.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from policytext.errors import CodebookError

_LABEL_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Example:
    """A passage written for the codebook, and whether the label applies to it."""

    text: str
    applies: bool
    why: str = ""


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
    examples: tuple[Example, ...] = ()

    @property
    def dimension(self) -> str:
        """The part of the id before the dot."""
        return self.id.partition(".")[0]


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


_KEYS = {
    "codebook": {"id", "version", "title", "title_en", "rules", "dimension", "label"},
    "dimension": {"id", "name", "name_en", "decided_by"},
    "label": {
        *("id", "name", "name_en", "definition", "definition_en", "not_when", "not_when_en"),
        *("terms", "excluded", "examples"),
    },
    "example": {"text", "applies", "why"},
}
_REQUIRED = {
    "codebook": ("id", "version", "title", "dimension", "label"),
    "dimension": ("id", "name"),
    "label": ("id", "name", "definition"),
    "example": ("text", "applies"),
}


def _problems(table: dict[str, Any]) -> list[str]:
    problems = [*_key_problems("codebook", table, "the file")]
    dimensions, labels = table.get("dimension", []), table.get("label", [])
    for kind, rows in (("dimension", dimensions), ("label", labels)):
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return [*problems, f"{kind}s are tables: write each under [[{kind}]]"]
    for row in dimensions:
        problems += _key_problems("dimension", row, f'dimension "{row.get("id", "?")}"')
        if row.get("decided_by", "terms") not in ("classifier", "terms"):
            problems.append(f'dimension "{row.get("id", "?")}": decided_by must be "classifier" or "terms"')
    problems += [f'dimension "{twice}" is defined twice; remove one' for twice in _twice(d.get("id") for d in dimensions)]
    problems += [f'label "{twice}" is defined twice; remove one' for twice in _twice(row.get("id") for row in labels)]
    known = {row.get("id") for row in dimensions}
    for row in labels:
        problems += _label_problems(row, known)
    return problems


def _label_problems(row: dict[str, Any], dimensions: set[Any]) -> list[str]:
    where = f'label "{row.get("id", "?")}"'
    problems = _key_problems("label", row, where)
    label_id = str(row.get("id", ""))
    if not _LABEL_ID.fullmatch(label_id):
        problems.append(f'{where}: the id must read "dimension.name" in lower-case Latin letters')
    elif label_id.partition(".")[0] not in dimensions:
        problems.append(f'{where}: there is no dimension "{label_id.partition(".")[0]}"; add a [[dimension]] for it')
    for key in ("terms", "excluded"):
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            problems.append(f"{where}: {key} must be a list of non-empty strings")
            continue
        problems += [f'{where} lists the {key[:-1] if key == "terms" else "context"} "{v}" twice; remove one' for v in _twice(values)]
    if not any("must be a list" in problem for problem in problems):
        problems += [
            f'{where}: the excluded context "{context}" holds none of its terms, so it excludes nothing; remove it'
            for context in row.get("excluded", [])
            if not any(term in context for term in row.get("terms", []))
        ]
    for example in row.get("examples", []):
        problems += _key_problems("example", example, f"{where}: an example")
    return problems


def _key_problems(kind: str, row: dict[str, Any], where: str) -> list[str]:
    problems = []
    for key in row:
        if key not in _KEYS[kind]:
            near = difflib.get_close_matches(key, _KEYS[kind], n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"valid keys: {', '.join(sorted(_KEYS[kind]))}"
            problems.append(f'{where}: unknown key "{key}"; {hint}')
    problems += [f'{where}: "{key}" is missing; add it' for key in _REQUIRED[kind] if not row.get(key) and row.get(key) is not False]
    return problems


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
        dimensions=tuple(
            Dimension(d["id"], d["name"], d.get("name_en", d["name"]), d.get("decided_by", "terms"))
            for d in table["dimension"]
        ),
        labels=tuple(_build_label(row) for row in table["label"]),
    )


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
        examples=tuple(Example(e["text"], e["applies"], e.get("why", "")) for e in row.get("examples", ())),
    )
