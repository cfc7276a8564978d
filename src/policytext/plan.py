"""What a run has to read: files found against files known, and the jobs that follow."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from policytext import engine, ingest
from policytext.config import Config
from policytext.records import Skipped
from policytext.store import FILES, Store

log = logging.getLogger(__name__)
_UNREAD = "unread"  # instead of the hash of a file that cannot be opened


@dataclass
class Plan:
    """Which files a run has to read, and why."""

    sources: list[tuple[ingest.Source, dict[str, Any], int]] = field(
        default_factory=list
    )  # file row, members to pass over
    unchanged: int = 0
    changed: list[str] = field(default_factory=list)
    missing: int = 0


def compare(store: Store, sources: Sequence[ingest.Source], config: Config, notes: list[str]) -> Plan:
    """Compare the files found with the files known; forget those that changed."""
    reading = hashlib.sha256(json.dumps(asdict(config.ingest), sort_keys=True).encode()).hexdigest()[:8]
    known = store.files()
    sources = _named(sources, known)
    plan = Plan(missing=len(known.keys() - {source.label for source in sources}))
    todo = []
    otherwise = {label for label, row in known.items() if not row["sha256"].endswith(f"@{reading}")}
    for source in sources:
        row = known.get(source.label)
        reread = source.label in otherwise
        same_stat = row is not None and (row["size"], row["mtime_ns"]) == (source.size, source.mtime_ns)
        same_place = row is not None and row["location"] == source.location and _content(row) != _UNREAD
        if row is not None and row["complete"] and same_stat and not reread and same_place:
            plan.unchanged += 1
            continue
        fresh = _file_row(source, reading)
        if row is not None and _content(fresh) == _UNREAD != _content(row):
            plan.missing += 1
            notes.append(f"{source.label} cannot be read now; what it held at an earlier run stays")
            continue
        if row is not None and row["sha256"] != fresh["sha256"]:
            plan.changed.append(source.label)
            row = None
        elif row is not None and row["complete"]:  # touched or moved, not changed
            store.keep(fresh | {"members": row["members"], "complete": True})
            plan.unchanged += 1
            continue
        todo.append((source, fresh, row["members"] if row is not None else 0))
    _note_settings(notes, otherwise, {source.label for source in sources})
    waiting = {source.label for source, _, _ in todo}
    copies = {source.label: source for source in sources if source.label not in waiting and source.problem is None}
    again = store.forget(plan.changed, waiting | copies.keys()) if plan.changed else set()
    todo = [(source, row, 0 if source.label in again else passed) for source, row, passed in todo]
    freed = [copies[label] for label in again - waiting]
    plan.sources = sorted([*todo, *((s, _file_row(s, reading), 0) for s in freed)], key=lambda item: item[0].label)
    return plan


def jobs(plan: Plan, config: Config) -> Iterator[tuple[engine.Job, int]]:
    """Yield jobs of about `batch_chars`, each with its bytes of input, in the order of the files' paths."""
    units: list[ingest.Unit | Skipped] = []
    files: dict[str, dict[str, Any]] = {}
    size = 0
    for source, row, passed in plan.sources:
        members = 0
        for unit in ingest.units(source, config.ingest):
            members += 1
            if members <= passed:
                continue
            units.append(unit)
            size += _size(unit, source)
            files[source.label] = row | {"members": members}
            if size >= 2 * config.run.batch_chars:  # a Chinese character takes two to three bytes
                yield engine.Job(tuple(units), tuple(files.values())), size
                units, files, size = [], {}, 0
        files[source.label] = row | {"members": members, "complete": True}
    if files:
        yield engine.Job(tuple(units), tuple(files.values())), size


def _named(sources: Sequence[ingest.Source], known: dict[str, dict[str, Any]]) -> list[ingest.Source]:
    """Give files of earlier runs the label that they have in the store, and other files one that is free.

    A file is known by where it is. One whose folder was moved is known by its label, when nothing is left at the old
    place and the content is the same.
    """
    at = {row["location"]: label for label, row in known.items()}
    taken = known.keys() | {source.label for source in sources}
    named = []
    for source in sorted(sources, key=lambda source: source.location):
        label = at.get(source.location, source.label)
        if source.location not in at and label in known and not _moved(source, known[label]):
            label = _free(source, taken)
            taken.add(label)
        named.append(replace(source, label=label))
    return sorted(named, key=lambda source: source.label)


def _moved(source: ingest.Source, row: dict[str, Any]) -> bool:
    if os.path.lexists(row["location"]) or row["size"] != source.size:
        return False
    return _content(row) == _content(_file_row(source, ""))


def _content(row: dict[str, Any]) -> str:
    return re.split("[+@]", row["sha256"])[0]


def _free(source: ingest.Source, taken: Collection[str]) -> str:
    """Return a label that no other file has: as much of the place as it takes."""
    parts = Path(source.location).parts[1:]
    labels = ("/".join(parts[-n:]) for n in range(2, len(parts) + 1))
    return next((label for label in labels if label not in taken), source.location)


def _note_settings(notes: list[str], otherwise: set[str], found: set[str]) -> None:
    """Say what becomes of files that were read with other settings of the room `ingest`."""
    if otherwise & found:
        notes.append(f"the [ingest] settings changed: {len(otherwise & found)} files are read again")
    if otherwise - found:
        notes.append(
            f"{len(otherwise - found)} files were read with other [ingest] settings and are not in the sources now; "
            "name their folder too, to have them read again"
        )


def _file_row(source: ingest.Source, reading: str) -> dict[str, Any]:
    """Return the row of `files` for a file not yet read; its hash speaks for content, manifest and settings."""
    sha256 = _UNREAD
    if source.problem is None:
        try:
            with source.file.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            log.info("%s: cannot be hashed; reading it will say why", source.label)
    sha256 += f"+{source.stamp}" if source.stamp else ""  # a changed row of the manifest is a changed file
    row = (source.label, source.location, f"{sha256}@{reading}", source.size, source.mtime_ns, 0, False)
    return dict(zip(FILES.names, row, strict=True))


def _size(unit: ingest.Unit | Skipped, source: ingest.Source) -> int:
    if isinstance(unit, Skipped):
        return 0
    if isinstance(unit.payload, bytes):
        return len(unit.payload)
    if isinstance(unit.payload, dict):
        return sum(len(str(value)) for value in unit.payload.values())
    return source.size
