"""Read, check and start codebook files."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from policytext.codebook.records import (
    Codebook,
    Dimension,
    Example,
    Flag,
    Group,
    Label,
    Relation,
    TokenPattern,
)
from policytext.codebook.template import TEMPLATE
from policytext.codebook.validation import problems_of
from policytext.errors import CodebookError


def load(path: Path | str) -> Codebook:
    """Read and validate a codebook file.

    Raises:
        CodebookError: with the first problem, where it is and what to do. `check` lists all of them.
    """
    found = _loaded(_text(Path(path)), str(path))
    if isinstance(found, str):
        raise CodebookError(f"{path}: {found}")
    return found


@lru_cache(maxsize=4)
def _loaded(text: str, path: str) -> Codebook | str:
    """Return the codebook or its first problem; a run asks for the same one several times."""
    table = _parsed(text, path)
    problems = problems_of(table)
    return problems[0] if problems else _build(table)


def check(path: Path | str) -> list[str]:
    """Return every problem of a codebook file as a sentence; an empty list means it is valid."""
    return problems_of(_parsed(_text(Path(path)), str(path)))


def template() -> str:
    """Return the text of a small valid codebook to start from: `policytext codebook new`.

    >>> "[[label]]" in template()
    True
    """
    return TEMPLATE


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CodebookError(f"{path}: no such codebook; check [tag] codebook in the config") from None
    except UnicodeDecodeError as error:
        raise CodebookError(f"{path}: not valid TOML: {error}") from error
    except OSError as error:
        raise CodebookError(f"{path}: cannot be read: {error.strerror}; name a TOML file") from error


def _parsed(text: str, path: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CodebookError(f"{path}: not valid TOML: {error}") from error


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
