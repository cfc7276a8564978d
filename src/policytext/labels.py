"""Labels by hand: read a file of labelled passages, and rejoin references to the texts they point at.

A label file is JSONL, one passage a line. Passages that may be passed on carry their text:

    {"id": "w1-0001", "text": "...", "labels": ["stage.open"], "evidence": {"stage.open": [61, 98]}}

Passages of others' texts stand by reference only, and are found again in the texts by file, document and paragraph;
the SHA-256 of the passage proves that it is the very one that was read:

    {"id": "t0001", "file": "tw_laws", "doc": "tw-law-1", "paragraph": 17, "sha256": "a48d...", "labels": []}

Evidence spans are half-open and count code points of the original passage.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policytext.errors import LabelError


@dataclass(frozen=True)
class LabelledPassage:
    """A passage as it was read, in its own script, with the labels that the reader gave it."""

    id: str
    text: str  # the original
    labels: tuple[str, ...]
    group: str  # the document it comes from: passages of one group never stand on both sides of a split
    source: str = ""  # the collection; "" if unknown
    evidence: dict[str, tuple[int, int]] = field(default_factory=dict)  # label -> span of the original
    reader: str = ""
    second_reading: tuple[str, ...] | None = None
    script: str = ""
    region: str = ""
    genre: str = ""
    date: str = ""
    sha256: str = ""
    made: bool = False  # written for training, not found in a text: good to learn from, no measure of anything

    @property
    def decade(self) -> str:
        """The decade of the date, such as "2010s"; empty if unknown."""
        return f"{self.date[:3]}0s" if self.date[:3].isdigit() else ""


def read(path: Path | str, *, shared: Path | str | None = None, missing: str = "error") -> list[LabelledPassage]:
    """Read a label file, or all `*.jsonl` of a folder in the order of their names.

    `shared` is the folder with `gold/` and `corpora/` where references are looked up; by default the folder of that
    name beside the project that holds the label file. `missing="skip"` leaves references out whose text is not
    there; what is there must match its SHA-256 either way.

    Raises:
        LabelError: a line is malformed, a referenced text is missing or is not the one that was read.
    """
    rows = [row for file in _files(Path(path)) for row in _rows(file)]
    folder = Path(shared) if shared is not None else _beside(Path(path))
    wanted: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _, row in rows:
        if row.get("text") is None:
            wanted[row["sha256"]].append(row)
    texts = _texts(wanted, folder) if wanted else {}
    lost = [where for where, row in rows if row.get("text") is None and row["sha256"] not in texts]
    if lost and missing == "error":
        raise LabelError(
            f"{lost[0]}: the text of this reference is not in {folder or 'a folder named shared'}; {len(lost)} of "
            f"{len(rows)} passages are missing; name the folder with gold/ and corpora/"
        )
    found = [(where, row, texts.get(row["sha256"]) if row.get("text") is None else row["text"]) for where, row in rows]
    return [_passage(row, text, where) for where, row, text in found if text is not None]


def label_ids(passages: Iterable[LabelledPassage]) -> tuple[str, ...]:
    """Return every label that occurs, sorted."""
    return tuple(sorted({label for passage in passages for label in passage.labels}))


def matrix(passages: Sequence[LabelledPassage], labels: Sequence[str]) -> list[list[bool]]:
    """Return one row of truth values a passage, in the order of `labels`."""
    return [[label in passage.labels for label in labels] for passage in passages]


def sha256(text: str) -> str:
    """Return the hash by which a reference is checked, over the passage's UTF-8.

    >>> sha256("数字政府")[:12]
    'a128015234d7'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _files(path: Path) -> list[Path]:
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise LabelError(f"{path}: no label file; give a .jsonl file, or a folder that holds some")
    return files


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    where = f"{path.name}:{number}"
                    yield where, _checked(line, where)
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error


def _checked(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise LabelError(f"{where}: not JSON: {error}") from error
    if not isinstance(row, dict):
        raise LabelError(f"{where}: a JSON object is expected, one a line")
    labels = row.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise LabelError(f'{where}: "labels" must be a list of label ids; an empty list means none applies')
    if not isinstance(row.get("text"), str) and not isinstance(row.get("sha256"), str):
        raise LabelError(f'{where}: give "text", or a reference with "file", "doc", "paragraph" and "sha256"')
    if row.get("text") is None and type(row.get("paragraph", 0)) is not int:
        raise LabelError(f'{where}: "paragraph" must be a whole number, counted from 0')
    if not isinstance(row.get("made", False), bool):
        raise LabelError(f'{where}: "made" must be true or false')
    if not isinstance(row.get("evidence") or {}, dict):
        raise LabelError(f'{where}: "evidence" must map a label to [start, end], or to the clause')
    second = row.get("second_reading") or []
    if not isinstance(second, list) or not all(isinstance(label, str) for label in second):
        raise LabelError(f'{where}: "second_reading" must be a list of label ids')
    return row


def _passage(row: dict[str, Any], text: str, where: str) -> LabelledPassage:
    source = _first(row, "file", "source")
    identity = _first(row, "id") or where
    second = row.get("second_reading")
    return LabelledPassage(
        id=identity,
        text=text,
        labels=tuple(row["labels"]),
        group=f"{source}/{_first(row, 'doc', 'pair') or identity}",
        source=source,
        evidence={
            label: _span(value, text, f"{where}: {label}") for label, value in (row.get("evidence") or {}).items()
        },
        reader=_first(row, "reader"),
        second_reading=None if second is None else tuple(second),
        script=_first(row, "script"),
        region=_first(row, "region"),
        genre=_first(row, "genre"),
        date=_first(row, "date", "year"),
        sha256=row.get("sha256") or sha256(text),
        made=bool(row.get("made", False)),
    )


def _first(row: dict[str, Any], *keys: str) -> str:
    """Return the first of these values that says something; 0 does."""
    return next((str(row[key]) for key in keys if row.get(key) not in (None, "")), "")


def _span(value: object, text: str, where: str) -> tuple[int, int]:
    """Accept a span, or the quoted clause itself."""
    if isinstance(value, str) and value in text:
        return text.index(value), text.index(value) + len(value)
    if isinstance(value, list) and len(value) == 2 and all(type(v) is int for v in value):
        start, end = value
        if 0 <= start < end <= len(text):
            return start, end
    raise LabelError(f"{where}: evidence must be [start, end] within the passage, or a clause of it")


def _beside(path: Path) -> Path | None:
    folders = (parent / "shared" for parent in path.resolve().parents)
    return next((folder for folder in folders if (folder / "gold").is_dir() or (folder / "corpora").is_dir()), None)


def _texts(wanted: dict[str, list[dict[str, Any]]], folder: Path | None) -> dict[str, str]:
    """Return sha256 -> text of the references that can be found, each checked against its hash."""
    if folder is None:
        return {}
    found = dict(_from_gold(wanted, folder / "gold"))
    found |= _from_corpora({key: row for key, row in wanted.items() if key not in found}, folder / "corpora")
    return found


def _from_gold(wanted: dict[str, list[dict[str, Any]]], folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row.get("sha256") in wanted and sha256(row["text"]) == row["sha256"]:
                    yield row["sha256"], row["text"]


def _from_corpora(wanted: dict[str, list[dict[str, Any]]], folder: Path) -> dict[str, str]:
    by_file: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in (row for rows in wanted.values() for row in rows):
        by_file[str(row.get("file"))][str(row.get("doc"))].append(row)
    found = {}
    for name, docs in by_file.items():
        path = folder / f"{name}.jsonl.gz"
        if path.is_file():
            for row, text in _paragraphs(path, docs):
                if sha256(text) != row["sha256"]:
                    raise LabelError(
                        f"{row.get('id')}: paragraph {row['paragraph']} of {row['doc']} in {path.name} is not the text "
                        "that was read (its SHA-256 differs); restore that edition of the file or drop the line"
                    )
                found[row["sha256"]] = text
    return found


def _paragraphs(path: Path, docs: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[dict[str, Any], str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            doc = json.loads(line)
            rows = docs.get(str(doc.get("id")), [])
            paragraphs = doc["text"].split("\n") if rows else []
            yield from ((row, paragraphs[n]) for row in rows if 0 <= (n := row.get("paragraph", -1)) < len(paragraphs))
