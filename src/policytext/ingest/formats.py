"""One small function a format: bytes in, a `Reading` out. Parsing is left to well-kept libraries."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from policytext.config import IngestConfig
from policytext.errors import ReadError
from policytext.ingest import archives, dates, encodings, paging

_PDF_PAGES = 5_000


@dataclass(frozen=True)
class Reading:
    """What a format gives before anything is inferred: the text, and metadata that the file itself states."""

    text: str
    title: str | None = None
    author: str | None = None
    outlet: str | None = None
    number: str | None = None
    issuer: str | None = None
    published: str | None = None  # ISO
    published_source: str | None = None  # where the publication date was found
    published_certainty: float = 0.9
    signed: str | None = None  # ISO
    url: str | None = None
    region: str | None = None
    encoding: str | None = None
    encoding_certainty: float | None = None
    notes: tuple[str, ...] = ()


def open_bytes(kind: str, data: bytes, config: IngestConfig) -> Reading:
    """Read the bytes of one document of a kind.

    Raises:
        ReadError: with a reason that a person can act on.
    """
    return _READERS[kind](data, config)


def _txt(data: bytes, config: IngestConfig) -> Reading:  # noqa: ARG001
    found = encodings.decode(data)
    return Reading(found.text, encoding=found.encoding, encoding_certainty=found.certainty, notes=found.notes)


def _md(data: bytes, config: IngestConfig) -> Reading:  # noqa: ARG001
    """Markdown stays as it is written; front matter and the first heading give metadata."""
    found = encodings.decode(data)
    front = re.match(r"---[ \t]*\r?\n(.{0,20000}?)\r?\n---[ \t]*\r?\n", found.text, re.DOTALL)
    body = found.text[front.end() :] if front else found.text
    values = (
        dict(re.findall(r"^([\w]+)[ \t]*:[ \t]*[\"']?(.*?)[\"']?[ \t]*\r?$", front[1], re.MULTILINE)) if front else {}
    )
    heading = re.search(r"^#[ \t]+(.+?)[ \t#]*\r?$", body, re.MULTILINE)

    return Reading(
        found.text,
        title=values.get("title") or (heading[1] if heading else None),
        author=values.get("author"),
        outlet=values.get("source"),
        published=dates.parse(values.get("date")),
        published_source="metadata",
        encoding=found.encoding,
        encoding_certainty=found.certainty,
        notes=found.notes,
    )


def _html(data: bytes, config: IngestConfig) -> Reading:  # noqa: ARG001
    from policytext.ingest import html

    return html.read_page(data)


def _mhtml(data: bytes, config: IngestConfig) -> Reading:
    """Take the first HTML part of a page that a browser saved as one MIME message."""
    import email

    message = email.message_from_bytes(data)  # the newer policies need quadratic time for damaged headers
    for part in message.walk():
        if part.get_content_type() in ("text/html", "application/xhtml+xml"):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                return _html(content, config)
    raise ReadError("the web archive holds no HTML page; save the page again as HTML")


def _docx(data: bytes, config: IngestConfig) -> Reading:
    """Paragraphs and tables in their order; table cells are joined by tabs."""
    import docx
    from docx.opc.constants import RELATIONSHIP_TYPE as PART
    from docx.opc.exceptions import OpcError
    from docx.oxml import parse_xml
    from lxml.etree import XMLSyntaxError

    from policytext.ingest import word

    archives.check(io.BytesIO(data), limit=config.max_file_mb * 1_000_000 * 2)
    try:
        document = docx.Document(io.BytesIO(data))
        parts = {part.reltype: part.target_part for part in document.part.rels.values() if not part.is_external}
        trees = [parse_xml(parts[kind].blob) if kind in parts else None for kind in (PART.NUMBERING, PART.STYLES)]
        lines = list(word.lines(document.element.body, word.Numbering.of(*trees)))
        notes = len(parts.keys() & {PART.FOOTNOTES, PART.ENDNOTES}) and _count(document.element.body, word.W)
    except (KeyError, ValueError, AttributeError, XMLSyntaxError, OpcError) as error:
        raise ReadError(
            f"the Word file is damaged or of another kind ({type(error).__name__}); save it again"
        ) from error
    core = document.core_properties
    title = core.title if core.title and core.title.strip() in "".join(lines[:10]) else None
    left_out = (f"footnotes and endnotes left out: {notes}",) if notes else ()
    return Reading("\n".join(lines).strip("\n"), title=title or None, encoding=None, notes=left_out)


def _count(body: Any, namespace: str) -> int:
    return sum(1 for _ in body.iter(f"{namespace}footnoteReference", f"{namespace}endnoteReference"))


def _pdf(data: bytes, config: IngestConfig) -> Reading:
    """Take the text layer, page by page, without page numbers and running heads."""
    import pypdfium2 as pdfium

    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        reason = "protected by a password" if "assword" in str(error) else "damaged or cut off"
        raise ReadError(f"the PDF is {reason}; get or save it again") from error
    try:
        found = []
        size = 0
        for number in range(min(len(document), _PDF_PAGES)):
            found.append(_page_text(document, number))
            size += len(found[-1])
            if size > config.max_document_chars:
                raise ReadError(f"more text than max_document_chars = {config.max_document_chars}")
        count = len(document)
    except pdfium.PdfiumError as error:
        raise ReadError("the PDF is damaged; get or save it again") from error
    finally:
        document.close()
    pages, left = paging.without_running_lines(found)
    text = "\n".join(page for page in pages if page)
    if len(re.sub(r"\s", "", text)) < 2 * count:  # a real page holds hundreds of characters
        raise ReadError("the PDF has no text layer (a scan); run OCR on it first")
    return Reading(text, notes=tuple(f"running head or foot left out: {line}" for line in left))


def _page_text(document: object, number: int) -> str:
    page = document[number]  # type: ignore[index]
    try:
        text_page = page.get_textpage()
        try:
            text: str = text_page.get_text_bounded(errors="ignore")
        finally:
            text_page.close()
    finally:
        page.close()
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\ufffe", "").strip("\n")


_READERS: dict[str, Callable[[bytes, IngestConfig], Reading]] = {
    "txt": _txt,
    "md": _md,
    "html": _html,
    "mhtml": _mhtml,
    "docx": _docx,
    "pdf": _pdf,
}
