"""Score reading against what careful readers found, beside trafilatura alone on the same pages.

    python benchmarks/ingest_quality.py [FOLDER] [--cases FOLDER] [--misses]

FOLDER (default ../shared/ingest) holds html.jsonl, official.jsonl, docx.jsonl and the files they speak of;
`--cases` (default ../shared/cases/encodings) holds documents in many encodings with a MANIFEST.json.
Strings are compared without white space.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from policytext import ingest
from policytext.config import IngestConfig
from policytext.records import Document

Row = dict[str, Any]
Reader = Callable[[Path], dict[str, Any]]
SHARED = Path(__file__).resolve().parents[2] / "shared"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "ingest")
    parser.add_argument("--cases", type=Path, default=SHARED / "cases" / "encodings")
    parser.add_argument("--misses", action="store_true", help="list what was missed")
    options = parser.parse_args()
    scores = [ours(options.folder, misses=options.misses), html_scores(options.folder, with_trafilatura, misses=False)]
    print(f"{'':28}{'policytext':>20}{'trafilatura alone':>22}")
    for name, hits in scores[0].items():
        other = scores[1].get(name)
        print(f"{name:28}{share(hits):>20}{share(other) if other else '-':>22}")
    print(f"{'encodings, very text':28}{share(encoding_hits(options.cases)):>20}")


def ours(folder: Path, *, misses: bool) -> dict[str, list[bool]]:
    scores = html_scores(folder, with_policytext, misses=misses)
    scores |= official_scores(folder, misses=misses)
    docx = [(row, with_policytext(folder / "docx" / row["file"])) for row in rows(folder, "docx")]
    scores["docx title"] = [tell(same(doc.get("title"), row, "title"), row, doc, "title", misses) for row, doc in docx]
    scores["docx date"] = [tell(same(doc.get("date"), row, "date"), row, doc, "date", misses) for row, doc in docx]
    return scores


def html_scores(folder: Path, read: Reader, *, misses: bool) -> dict[str, list[bool]]:
    """Score pages as ../shared/bench/score_ingest.py does; one list of hits a measure."""
    pages = [(row, read(folder / "html" / row["file"])) for row in rows(folder, "html")]
    scores: dict[str, list[bool]] = {}
    for field, key in (("title", "title"), ("date", "date"), ("author", "author"), ("source", "outlet")):
        stated = [(row, doc) for row, doc in pages if row.get(field) is not None]
        scores[f"html {key}"] = [tell(close(doc, row, field, key), row, doc, key, misses, field) for row, doc in stated]
    scores["html body start"] = [tell(starts_well(row, doc), row, doc, "start", misses) for row, doc in pages]
    scores["html body end"] = [tell(ends_well(row, doc), row, doc, "end", misses) for row, doc in pages]
    scores["html clean"] = [tell(is_clean(row, doc), row, doc, "clean", misses) for row, doc in pages]
    return scores


def official_scores(folder: Path, *, misses: bool) -> dict[str, list[bool]]:
    texts = [(row, with_policytext(folder / "official" / row["file"])) for row in rows(folder, "official")]
    scores = {}
    for field in ("number", "date", "title", "issuer"):
        hits = [tell(same(doc.get(field), row, field), row, doc, field, misses) for row, doc in texts]
        scores[f"official {field}"] = hits
        if field in ("number", "date"):
            silent = [hit for (row, _), hit in zip(texts, hits, strict=True) if row.get(field) is None]
            scores[f"official no {field} -> null"] = silent
    return scores


def with_policytext(file: Path) -> dict[str, Any]:
    config = IngestConfig()
    for source in ingest.find([file]):
        for unit in ingest.units(source, config):
            doc = ingest.read(unit, config) if isinstance(unit, ingest.Unit) else unit
            if isinstance(doc, Document):
                return ingest.describe(doc)
    return {}


def with_trafilatura(file: Path) -> dict[str, Any]:
    import trafilatura

    found = trafilatura.bare_extraction(file.read_bytes(), include_comments=False, with_metadata=True)
    if found is None or isinstance(found, dict):
        return {}
    return {
        "title": found.title,
        "date": found.date,
        "author": found.author,
        "outlet": found.sitename,
        "text": found.text,
    }


def plain(value: object) -> str:
    return re.sub(r"\s+", "", str(value)) if value is not None else ""


def rows(folder: Path, kind: str) -> list[Row]:
    return [json.loads(line) for line in (folder / f"{kind}.jsonl").read_text(encoding="utf-8").splitlines()]


def same(value: object, row: Row, field: str) -> bool:
    value = str(value or "")[:10] if field == "date" else value
    return plain(value) in {plain(other) for other in [row.get(field), *(row.get(f"{field}_accept") or [])]}


def close(doc: dict[str, Any], row: Row, field: str, key: str) -> bool:
    value, truth = plain(doc.get(key)), plain(row[field])
    near = field != "date" and bool(value) and truth in value and len(value) < len(truth) + 12
    return same(doc.get(key), row, field) or near


def starts_well(row: Row, doc: dict[str, Any]) -> bool:
    other = row.get("alt_start") or []
    starts = [row["body_start"], *([other] if isinstance(other, str) else other)]
    return any(plain(start)[:15] in plain(doc.get("text"))[:220] for start in starts)


def ends_well(row: Row, doc: dict[str, Any]) -> bool:
    return plain(row["body_end"])[-12:] in plain(doc.get("text"))[-130:]


def is_clean(row: Row, doc: dict[str, Any]) -> bool:
    return not any(plain(stray) in plain(doc.get("text")) for stray in row["must_not_contain"])


def tell(hit: bool, row: Row, doc: dict[str, Any], key: str, misses: bool, field: str | None = None) -> bool:  # noqa: FBT001
    """Print a miss if asked; return the hit."""
    if misses and not hit:
        text = plain(doc.get("text"))
        shown = {
            "start": (text[:60], row.get("body_start")),
            "end": (text[-60:], row.get("body_end")),
            "clean": ([stray for stray in row.get("must_not_contain", ()) if plain(stray) in text], ""),
        }.get(key, (doc.get(key), row.get(field or key)))
        print(f"  {row['file']}: {key}: {shown[0]!r} instead of {shown[1]!r}")
    return hit


def share(hits: list[bool]) -> str:
    return f"{sum(hits)}/{len(hits)} = {sum(hits) / max(1, len(hits)):.1%}"


def encoding_hits(folder: Path) -> list[bool]:
    cases = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    hits = []
    for case in cases:
        if case.get("file"):
            text = with_policytext(folder / case["file"]).get("text") or ""
            hits.append(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest() == case["sha1_utf8"])
    return hits


if __name__ == "__main__":
    main()
