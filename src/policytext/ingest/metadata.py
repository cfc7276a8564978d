"""What a source declares, what a format states and what the text shows, brought together: declared wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policytext.ingest import dates, official
from policytext.ingest.formats import Reading
from policytext.ingest.members import Unit
from policytext.records import Document, content_id

_NEWS = frozenset({"news", "commentary", "新闻", "新聞", "评论", "評論"})


def complete(unit: Unit, reading: Reading, declared: Mapping[str, Any], digest: str) -> Document:
    """Return the document of a unit; `declared` holds the values of a table's row or a manifest."""
    values = {field: _string(value) for field, value in declared.items()}
    _settle(values)
    date = dates.parse(declared.get("date"))
    notes = list(reading.notes)
    if values.get("date") and date is None:
        notes.append(f"declared date not understood: {values['date']}")
    found = official.dissect(reading.text, title=values.get("title") or reading.title)
    iso, source, certainty = _date(date, reading, found)
    keys = [values.get(field) for field in ("title", "issuer", "outlet", "author", "number")]
    return Document(
        id=content_id(reading.text, *keys, date),
        path=unit.path,
        member=unit.member,
        sha256=digest,
        original=reading.text,
        text=reading.text,
        source_id=values.get("source_id"),
        title=values.get("title") or reading.title or found.title,
        author=values.get("author") or reading.author,
        outlet=values.get("outlet") or reading.outlet,
        number=values.get("number") or reading.number or found.number,
        issuer=values.get("issuer") or reading.issuer or found.issuer,
        level=values.get("level"),
        region=values.get("region") or reading.region,
        genre=values.get("genre"),
        date=iso,
        date_source=source,
        date_certainty=certainty,
        encoding=reading.encoding,
        encoding_certainty=reading.encoding_certainty,
        signed=found.signed or reading.signed,
        printed=found.printed,
        published=reading.published,
        forwards=found.forwards,
        url=values.get("url") or reading.url,
        format=unit.format,
        blocks=found.blocks,
        notes=tuple(notes),
    )


def _string(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    text = " ".join(str(value).split())
    return text if text and text.lower() not in ("nan", "none", "null", "n/a") else None


def _settle(values: dict[str, str | None]) -> None:
    """Read a column that holds an issuer or a source by the genre of its row."""
    either = values.pop("issuer_or_source", None)
    if either:
        field = "outlet" if values.get("genre") in _NEWS else "issuer"
        values[field] = values.get(field) or either


def _date(
    declared: str | None, reading: Reading, found: official.Anatomy
) -> tuple[str | None, str | None, float | None]:
    if declared:
        return declared, "declared", 1.0
    if reading.published:
        return reading.published, reading.published_source, reading.published_certainty
    if found.signed:
        return found.signed, found.signed_source, found.signed_certainty
    return None, None, None
