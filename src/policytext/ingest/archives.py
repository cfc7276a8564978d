"""Open zip and gzip without falling for bombs: sizes are counted while unpacking, never believed.

Nothing is ever written under a name from an archive, so a path that climbs (`../../x`) is only a name.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from policytext.errors import ReadError

_LITTER = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "__macosx"})
_RATIO = 250  # text compresses 3- to 20-fold; beyond this ratio, and beyond _FREE bytes, it is a bomb
_FREE = 64_000_000
_DEPTH = 3  # archives in archives
_MEMBERS = 200_000
_ENCRYPTED = 0x1
_UTF8_NAME = 0x800


def ignored(name: str) -> bool:
    """Say whether a file or folder of this name is left out without a word.

    >>> ignored(".DS_Store"), ignored("~$report.docx"), ignored("通知.txt")
    (True, True, False)
    """
    return name.startswith((".", "~$")) or name.lower() in _LITTER


def explain(error: BaseException) -> str:
    """Return the reason for a Skipped row from an error."""
    if isinstance(error, ReadError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be read: {error.strerror}"
    text = " ".join(str(error).split())[:200]
    return f"it is damaged or cut off ({type(error).__name__}{f': {text}' if text else ''}); get it again"


@contextmanager
def opened(file: Path) -> Iterator[IO[bytes]]:
    """Open a file or, if its name ends in .gz, what it holds; unpacking stops with an error at a bomb's ratio."""
    with file.open("rb") as raw:
        if file.suffix.lower() == ".gz":
            yield io.BufferedReader(_Guarded(gzip.GzipFile(fileobj=raw), file.stat().st_size), 1 << 18)
        else:
            yield raw


class _Guarded(io.RawIOBase):
    """A stream that counts what comes out of a compressed file of `size` bytes."""

    def __init__(self, stream: gzip.GzipFile, size: int) -> None:
        self._stream, self._budget = stream, max(_FREE, size * _RATIO)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except zlib.error as error:
            raise ReadError(f"the compressed file is damaged ({error}); get it again") from error
        self._budget -= len(data)
        if self._budget < 0:
            raise ReadError(f"it unpacks to more than {_RATIO} times its size; unpack it by hand if you trust it")
        buffer[: len(data)] = data
        return len(data)


def inflate(file: Path, *, limit: int) -> bytes:
    """Return the content of a file, unpacked if its name ends in .gz.

    Raises:
        ReadError: there are more than `limit` bytes.
    """
    with opened(file) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise ReadError(f"larger than max_file_mb = {limit // 1_000_000}; split it or raise the limit")
    return data


def inflate_bytes(data: bytes, *, limit: int) -> bytes:
    """Return what gzipped bytes hold.

    Raises:
        ReadError: there are more than `limit` bytes, or they are damaged.
    """
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
        found = io.BufferedReader(_Guarded(packed, len(data))).read(limit + 1)
    if len(found) > limit:
        raise ReadError(f"larger than max_file_mb = {limit // 1_000_000}; split it or raise the limit")
    return found


def check(file: Path | IO[bytes], *, limit: int) -> None:
    """Refuse an office file (a zip) whose parts would unpack to more than `limit` bytes.

    Raises:
        ReadError: it is no zip, it is encrypted, or it is too large when unpacked.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ReadError(f"it is damaged, cut off or protected by a password ({error}); get it again") from error
    packed = sum(info.compress_size for info in infos)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > limit or (unpacked > _FREE and unpacked > packed * _RATIO) or len(infos) > _MEMBERS:
        raise ReadError(f"it would unpack to {unpacked // 1_000_000} MB; this looks like a zip bomb")


def walk(file: Path | IO[bytes], *, limit: int, depth: int = 0, prefix: str = "") -> Iterator[tuple[str, bytes | str]]:
    """Yield (name, content) of the files in a zip, in the order of their names, archives inside included.

    A str instead of bytes is the reason why that member cannot be read. All members together may unpack to
    `limit` bytes times four, each to `limit`.
    """
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ReadError(f"the archive is damaged or cut off ({error}); get it again") from error
    budget = limit * 4
    with archive:
        infos = sorted(archive.infolist(), key=lambda info: info.filename)
        if len(infos) > _MEMBERS:
            raise ReadError(f"the archive holds more than {_MEMBERS} files; split it")
        for info in infos:
            name = prefix + _name(info)
            if info.is_dir() or any(ignored(part) for part in name.split("/") if part not in ("..", ".")):
                continue
            content = _member(archive, info, min(limit, budget))
            budget -= len(content) if isinstance(content, bytes) else 0
            if isinstance(content, bytes) and name.lower().endswith(".zip"):
                yield from _nested(name, content, limit=min(limit, budget // 4), depth=depth)
            else:
                yield name, content


def _nested(name: str, content: bytes, *, limit: int, depth: int) -> Iterator[tuple[str, bytes | str]]:
    if depth + 1 >= _DEPTH:
        yield name, f"archives lie more than {_DEPTH} deep in each other; unpack them"
        return
    try:
        yield from walk(io.BytesIO(content), limit=limit, depth=depth + 1, prefix=f"{name}/")
    except ReadError as error:
        yield name, str(error)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes | str:
    if info.flag_bits & _ENCRYPTED:
        return "protected by a password; unpack it first"
    if info.file_size > _FREE and info.file_size > max(1, info.compress_size) * _RATIO:
        return f"it would unpack to more than {_RATIO} times its size; this looks like a zip bomb"
    try:
        with archive.open(info) as stream:
            data = stream.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        return explain(error)
    if len(data) > limit:
        return f"larger than the {limit // 1_000_000} MB that the limit max_file_mb leaves for it"
    return data


def _name(info: zipfile.ZipInfo) -> str:
    """Names of old Chinese archives are GB18030 or Big5, which zipfile shows as CP437."""
    name = info.filename.replace("\\", "/")
    if info.flag_bits & _UTF8_NAME or name.isascii():
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    for codec in ("utf-8", "gb18030", "big5"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return name
