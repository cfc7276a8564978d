"""A web page to its main text and what it says about itself."""

from __future__ import annotations

import logging
import re

from policytext.errors import ReadError
from policytext.ingest import dates, encodings
from policytext.ingest.formats import Reading

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_MAX_BYTES = 20_000_000  # parsers need some fifty times the bytes of a page


def read_page(data: bytes) -> Reading:
    """Read one page.

    Raises:
        ReadError: the page holds no text.
    """
    if len(data) > _MAX_BYTES:
        raise ReadError(f"a web page of more than {_MAX_BYTES // 1_000_000} MB; save its text")
    declared = _CHARSET.search(data[:20_000])
    found = encodings.decode(data, declared=declared[1].decode("ascii") if declared else None)
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    import trafilatura

    extracted = trafilatura.bare_extraction(found.text, favor_precision=True, include_comments=False)
    if not isinstance(extracted, trafilatura.settings.Document) or not extracted.text:
        raise ReadError("the page holds no main text (a shell filled by scripts?); save it from the browser")
    return Reading(
        extracted.text,
        title=extracted.title,
        author=extracted.author,
        outlet=extracted.sitename,
        published=dates.parse(extracted.date),
        published_source="metadata",
        published_certainty=0.7,
        url=extracted.url,
        encoding=found.encoding,
        encoding_certainty=found.certainty,
        notes=found.notes,
    )
