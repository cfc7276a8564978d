"""What a source declares, what a format states and what the text shows, brought together: declared wins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policytext.ingest import dates, encodings, issuers, official, regions
from policytext.ingest.formats import Reading
from policytext.ingest.members import Unit
from policytext.records import Document, content_id

_NEWS = frozenset({"news", "commentary", "新闻", "新聞", "评论", "評論"})


def complete(
    unit: Unit, reading: Reading, declared: Mapping[str, Any], digest: str, *, page_date: str = "published"
) -> Document:
    """Return the document of a unit; `declared` holds the values of a table's row or a manifest.

    `page_date` says which date counts of a page that shows when it was published and when the paper was signed.
    """
    values = {field: _string(value) for field, value in declared.items()}
    _settle(values)
    region = regions.code(values.get("region")) or reading.region
    date = dates.parse(declared.get("date"), republic=region == "TW")
    notes = list(reading.notes)
    if values.get("date") and date is None:
        notes.append(f"declared date not understood: {values['date']}")
    found = official.Anatomy()
    if _is_whole(reading, values, date):
        found = official.dissect(reading.text, title=values.get("title") or reading.title)
    published = reading.published or found.published
    issuer = values.get("issuer") or reading.issuer or found.issuer
    outlet = values.get("outlet") or reading.outlet or found.outlet
    signed = found.signed or reading.signed
    iso, source, certainty = _date(date, unit, reading, found)
    if page_date == "signed" and signed and not date:
        iso, source, certainty = signed, found.signed_source, found.signed_certainty
    notes += _conflicts(date, published, found)
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
        author=values.get("author") or reading.author or found.author,
        outlet=outlet,
        number=values.get("number") or reading.number or found.number,
        issuer=issuer,
        level=values.get("level") or issuers.level(issuer),
        region=region or regions.guess(reading.text, issuer, outlet, reading.url),
        genre=values.get("genre"),
        date=iso,
        date_source=source,
        date_certainty=certainty,
        encoding=reading.encoding,
        encoding_certainty=reading.encoding_certainty,
        signed=signed,
        printed=found.printed,
        published=published,
        forwards=found.forwards,
        url=values.get("url") or reading.url,
        format=unit.format,
        blocks=found.blocks,
        notes=tuple(encodings.scrub(note)[0] for note in notes),
    )


def _is_whole(reading: Reading, values: Mapping[str, str | None], date: str | None) -> bool:
    """Say whether a text may hold metadata: not a dated news item or a lone paragraph of a table."""
    return not (date and (values.get("genre") in _NEWS or "\n" not in reading.text))


def _string(value: Any) -> str | None:
    if value is None or isinstance(value, (dict, list)):
        return None
    text = " ".join(encodings.scrub(str(value))[0].split())
    return text if text and text.lower() not in ("nan", "none", "null", "n/a") else None


def _settle(values: dict[str, str | None]) -> None:
    """Read a column that holds an issuer or a source by the genre of its row."""
    either = values.pop("issuer_or_source", None)
    if either:
        field = "outlet" if values.get("genre") in _NEWS else "issuer"
        values[field] = values.get(field) or either


def _date(
    declared: str | None, unit: Unit, reading: Reading, found: official.Anatomy
) -> tuple[str | None, str | None, float | None]:
    """Choose the date: declared, of the page, signed, published in the text, in the file's name."""
    if declared:
        return declared, "declared", 1.0
    if reading.published:
        return reading.published, reading.published_source, reading.published_certainty
    if found.signed:
        return found.signed, found.signed_source, found.signed_certainty
    if found.published:
        return found.published, "byline", 0.8
    named = dates.from_url(unit.name) if unit.payload is None or unit.format.startswith("zip/") else None
    return (named, "file name", 0.5) if named and len(named) == 10 else (None, None, None)


def _conflicts(declared: str | None, published: str | None, found: official.Anatomy) -> list[str]:
    """Say where dates disagree: a document cannot be published or printed before it was signed."""
    notes = []
    if declared and found.signed and not _agree(declared, found.signed) and found.signed_certainty >= 0.9:
        notes.append(f"dates disagree: declared {declared}, {found.signed_source} {found.signed}")
    for name, other in (("published", published), ("printed", found.printed)):
        if other and found.signed and other < found.signed[: len(other)]:
            notes.append(f"dates disagree: {name} {other} before {found.signed_source} {found.signed}")
    return notes


def _agree(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
