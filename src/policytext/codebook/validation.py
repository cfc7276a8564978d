"""Every mistake in a codebook file, as a sentence that says where it is and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from policytext import dictionaries
from policytext.codebook.notation import steps

_LABEL_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_GROUP_ID = re.compile(r"[a-z][a-z0-9_]*")

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
_KINDS: dict[str, tuple[str, ...]] = {  # what a value must be; a string where nothing is said
    "a list of strings": ("rules", "rules_en", "terms", "excluded", "anchors", "all", "not"),
    "a list of tables": ("examples", "pattern", "tokens"),
    "true or false": ("applies",),
    "a list of lists of words": ("variants",),
    "a string or a number": ("version",),
}
_KIND_OF = {key: kind for kind, keys in _KINDS.items() for key in keys}
# In a part of a term: a gap without its spaces, a full-width bar.
_MISWRITTEN_GAP = re.compile(r"\.\.|(?<![A-Za-z])\.$|…|｜")


def problems_of(table: dict[str, Any]) -> list[str]:
    """Return every problem of a parsed codebook; an empty list means it is valid."""
    problems = _key_problems("codebook", table, "the file")
    wrong = _type_problems("codebook", table, "the file")
    if wrong:
        return [*problems, *wrong]
    for kind in _TABLES:
        for row in table.get(kind, []):
            where = f'{kind} "{row.get("id", "?")}"'
            problems += _key_problems(kind, row, where)
            wrong += _type_problems(kind, row, where)
            for one, key in (("example", "examples"), ("pattern", "pattern")):
                for part in _tables(row.get(key)):
                    wrong += _type_problems(one, part, f"{where}: one of its {one}s")
    if wrong:
        return [*problems, *wrong]
    for kind in _TABLES:
        ids = [row.get("id") for row in table.get(kind, [])]
        problems += [f'{kind} "{twice}" is defined twice; remove one' for twice in _twice(ids)]
    for row in table.get("dimension", []):
        if row.get("decided_by", "terms") not in ("classifier", "terms"):
            problems.append(f'dimension "{row.get("id", "?")}": decided_by must be "classifier" or "terms"')
    problems += _variant_problems(table.get("variants", []))
    dimensions = {row.get("id") for row in table.get("dimension", [])}
    groups = {row.get("id"): row for row in table.get("group", [])}
    problems += [p for row in table.get("label", []) for p in _label_problems(row, dimensions, groups)]
    return [*problems, *_layer_problems(table)]


def _variant_problems(variants: Any) -> list[str]:
    if not isinstance(variants, list) or not all(
        isinstance(words, list) and all(isinstance(word, str) and word for word in words) for words in variants
    ):
        return ['variants must be a list of lists of words, such as [["信息", "资讯"], ["网络", "网路"]]']
    twice = _twice(word for words in variants for word in words)
    problems = [f'variants hold "{word}" twice; a word belongs to one list' for word in twice]
    return problems + _script_problems([word for words in variants for word in words], "variants", "word")


def _label_problems(row: dict[str, Any], dimensions: set[Any], groups: dict[Any, Any]) -> list[str]:
    where = f'label "{row.get("id", "?")}"'
    problems = []
    label_id = str(row.get("id", ""))
    if not _LABEL_ID.fullmatch(label_id):
        problems.append(f'{where}: the id must read "dimension.name" in lower-case Latin letters')
    elif label_id.partition(".")[0] not in dimensions:
        problems.append(f'{where}: there is no dimension "{label_id.partition(".")[0]}"; add a [[dimension]] for it')
    problems += _term_problems(row, where) or _step_problems(row.get("terms", []), groups, where, gaps=True)
    for kind, key in (("example", "examples"), ("pattern", "pattern")):
        for part in row.get(key, []):
            problems += _key_problems(kind, part, f"{where}: one of its {key.rstrip('s')}s")
    for part in row.get("pattern", []):
        anchors = part.get("anchors", [])
        if not anchors or not part.get("tokens") or not all(anchor.strip() for anchor in anchors):
            problems.append(f"{where}: a pattern needs anchors, words that must occur, and tokens, neither empty")
        problems += _script_problems([*anchors, *_words_in(part.get("tokens", []))], where, "pattern")
    return problems


def _words_in(tokens: Any) -> list[str]:
    """Return the strings that a pattern of spaCy asks for, at any depth; expressions are none."""
    if isinstance(tokens, dict):
        return [
            word for key, value in tokens.items() if key not in ("REGEX", "OP", "NOT_IN") for word in _words_in(value)
        ]
    if isinstance(tokens, list):
        return [word for value in tokens for word in _words_in(value)]
    return [tokens] if isinstance(tokens, str) else []


def _script_problems(values: Iterable[str], where: str, noun: str) -> list[str]:
    return [
        f'{where}: the {noun} "{value}" has traditional characters; texts are matched in simplified ones'
        for value in values
        if not _traditional().isdisjoint(value)
    ]


@cache
def _traditional() -> frozenset[str]:
    """Return the characters that only traditional text has: a term with one never matches converted text."""
    several = dictionaries.alternatives("TSCharacters")
    pairs = dictionaries.load("TSCharacters").items()
    only = (mark for mark, value in pairs if mark != value and mark not in several.get(mark, ()))
    return frozenset(mark for mark in only if mark == "後" or not _in_mainland(mark))


def _in_mainland(mark: str) -> bool:
    """Say whether the mainland's standard of simplified characters has it: 拚搏, 摺叠."""
    try:
        return bool(mark.encode("gb2312"))
    except UnicodeEncodeError:
        return False


def _term_problems(row: dict[str, Any], where: str) -> list[str]:
    """Problems of the lists `terms` and `excluded`, which labels and groups share."""
    problems = []
    for key, noun in (("terms", "term"), ("excluded", "context")):
        values = row.get(key, [])
        if not all(value.strip() for value in values):
            return [f"{where}: {key} must be a list of non-empty strings"]
        problems += [f'{where} lists the {noun} "{twice}" twice; remove one' for twice in _twice(values)]
        problems += _script_problems(values, where, noun)
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
        if not all(part.strip() for part in parts):
            return [*problems, f"{where}: {key} must be a list of non-empty strings"]
        problems += _step_problems(parts, groups, where, gaps=False)
        problems += _script_problems(parts, where, "part")
    return problems


def _step_problems(terms: list[str], groups: dict[Any, Any], where: str, *, gaps: bool) -> list[str]:
    problems = []
    for term in terms:
        parts = steps(term)
        if any(not name for step in parts for name in (*step.terms, *step.groups)):
            problems.append(f'{where}: "{term}" has an empty part; check its | and ..')
        if any(_MISWRITTEN_GAP.search(name) for step in parts for name in step.terms):
            problems.append(f'{where}: "{term}" has a gap or bar that is none; write " .. ", spaces around it, and "|"')
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


def _tables(value: object) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _type_problems(kind: str, row: dict[str, Any], where: str) -> list[str]:
    """Return the values that are of another type than the key asks for; all other checks rest on these."""
    problems = []
    for key in row.keys() & _KEYS[kind]:
        table = kind == "codebook" and key in _TABLES
        wanted = "a list of tables" if table else _KIND_OF.get(key, "a string")
        if not _is_of(row[key], wanted):
            problems.append(f"{where}: {key} must be {wanted}" + f"; write each under [[{key}]]" * table)
    return sorted(problems)


def _is_of(value: object, kind: str) -> bool:
    if kind.startswith("a list"):
        of = {"a list of strings": str, "a list of tables": dict}.get(kind, list)
        return isinstance(value, list) and all(isinstance(item, of) for item in value)
    if kind == "true or false":
        return isinstance(value, bool)
    return isinstance(value, str) or (kind == "a string or a number" and isinstance(value, int | float))


def _nearest(name: object, valid: Iterable[Any]) -> str:
    near = difflib.get_close_matches(str(name), [str(v) for v in valid], n=1, cutoff=0.3)
    return f'; did you mean "{near[0]}"?' if near else ""


def _twice(values: Any) -> list[Any]:
    seen: set[Any] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]
