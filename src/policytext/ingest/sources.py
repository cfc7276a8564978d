"""Find the files of an analysis: a fixed order, unique labels, nothing dropped in silence.

Left out without a word are only names that start with "." or "~$" (hidden files, lock files of office programs), the
litter of desktops (`Thumbs.db`, `desktop.ini`) and what this analysis itself wrote. Links that leave the folder, pipes,
sockets, unreadable folders and the results of other analyses come back as sources with a `problem`, so that they end up
among the skipped.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from policytext.errors import ReadError, UsageError
from policytext.ingest import manifests
from policytext.ingest.archives import ignored

_DEPTH = 64  # folders below each other; deeper is a loop or an attack
_STORE = "policytext.duckdb"
_RESULTS = frozenset({_STORE, f"{_STORE}.wal", "trends.csv", "report.html", "run.json", "topics"})


@dataclass(frozen=True)
class Source:
    """One file to read; `problem` says why it cannot be."""

    label: str  # path relative to the given folder, with forward slashes; unique in one analysis
    file: Path
    size: int = 0  # bytes
    mtime_ns: int = 0
    problem: str | None = None
    declared: dict[str, Any] | None = None  # its row in the folder's manifest
    stamp: str = ""  # hash of that row: a change in it is a change of the file

    @cached_property
    def location(self) -> str:
        """Where the file is, whatever way led there: what tells it from all other files."""
        return readable(Path(os.path.realpath(self.file.parent)) / self.file.name)

    @property
    def name(self) -> str:
        """Its name, readable."""
        return readable(self.file.name)


def readable(path: Path | str) -> str:
    """Return a path as valid Unicode.

    Names from old Chinese archives are bytes of GB18030 or Big5; under a locale without Chinese, all Chinese names
    look like that.
    """
    try:
        raw = str(path).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a character, which Windows allows
        return str(path).encode("utf-8", "backslashreplace").decode()
    for codec in ("utf-8", "gb18030", "big5"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "backslashreplace")


def find(sources: Sequence[Path], results: Path | None = None) -> list[Source]:
    """List the files of folders and single files, sorted by label, whatever the order of `sources`.

    Files with the same label are told apart by the name of the source folder, then by the full path. `results` is
    the folder that the analysis writes to; it is left out where it lies in a source.

    Raises:
        UsageError: a source does not exist.
    """
    found: list[tuple[Path, Source]] = []
    for root in sorted({Path(source).absolute() for source in sources}):
        if not os.path.lexists(root):
            raise UsageError(f"{root}: no such file or folder")
        if root.is_dir():
            found.extend((root, source) for source in _described(root, list(_walk(root, root, 0, results))))
        else:
            found.append((root.parent, _look(root, root.name, None)))
    return sorted(_unique(found), key=lambda source: source.label)


def _described(root: Path, found: list[Source]) -> list[Source]:
    """Give each source its row in the folder's manifest; a row without a file becomes a source with a problem."""
    table = next((source for source in found if manifests.is_manifest(source.label) and not source.problem), None)
    if table is None:
        return found
    try:
        rows = manifests.load(table.file)
    except ReadError as error:
        problem = f"{error}; mend or rename it"
        return [replace(source, problem=problem) if source is table else source for source in found]
    told = []
    for source in found:
        row = rows.pop(source.label, None)
        if row is not None:
            time = max(source.mtime_ns, table.mtime_ns)
            told.append(replace(source, declared=row, stamp=manifests.stamp(row), mtime_ns=time))
        elif source is not table:
            told.append(source)
    missing = f"{table.label} names it, but it is not there"
    return told + [Source(path, root / path, problem=missing) for path in rows]


def _walk(folder: Path, root: Path, depth: int, results: Path | None) -> Iterator[Source]:
    label = readable(folder.relative_to(root).as_posix())
    if depth > _DEPTH:
        yield Source(label, folder, problem=f"folders lie more than {_DEPTH} deep; flatten them")
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Source(label, folder, problem=f"the folder cannot be opened: {error.strerror}; check its permissions")
        return
    analysis = any(entry.name == _STORE for entry in entries)
    if analysis and folder != root:
        if results is None or not results.exists() or not folder.samefile(results):
            yield Source(label, folder, problem="it holds the results of an analysis, not texts; move it elsewhere")
        return
    for entry in entries:
        if ignored(entry.name) or (analysis and entry.name in _RESULTS):
            continue
        path = Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path, root, depth + 1, results)
        else:
            yield _look(path, path.relative_to(root).as_posix(), root)


def _look(path: Path, label: str, root: Path | None) -> Source:
    """Take the size and time of a regular file, or say why it is none; `root` None: named by the user, follow links."""
    label = readable(label)
    try:
        if root is not None and path.is_symlink():
            return _look_through(path, label, root)
        status = path.stat()
    except OSError as error:
        return Source(label, path, problem=f"it cannot be opened: {error.strerror}; check link and permissions")
    if not stat.S_ISREG(status.st_mode):
        return Source(label, path, problem="it is a pipe, socket or device, not a file; save its content as a file")
    if not os.access(path, os.R_OK):
        return Source(
            label, path, status.st_size, status.st_mtime_ns, "no permission to read it; change its permissions"
        )
    return Source(label, path, status.st_size, status.st_mtime_ns)


def _look_through(path: Path, label: str, root: Path) -> Source:
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(os.path.realpath(root)):
        return Source(label, path, problem="it is a link that leaves the folder; copy the file into the folder")
    if target.is_dir():
        return Source(label, path, problem="it is a link to a folder that is read anyway; remove the link")
    return _look(path, label, None)


def _unique(found: list[tuple[Path, Source]]) -> list[Source]:
    taken: dict[str, tuple[Path, Source]] = {}
    for root, source in found:
        taken.setdefault(source.location, (root, source))  # a file reached twice is one source
    entries = list(taken.values())
    counts = Counter(source.label for _, source in entries)
    entries = [
        (r, s if counts[s.label] == 1 else replace(s, label=f"{readable(r.name)}/{s.label}")) for r, s in entries
    ]
    counts = Counter(source.label for _, source in entries)
    return [
        s if counts[s.label] == 1 else replace(s, label=readable(s.file.as_posix()).lstrip("/")) for _, s in entries
    ]
