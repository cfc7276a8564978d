"""Lines in, lines out: the rooms on their own, for pipes and notebooks, without a store.

Every function takes plain text or JSON lines and yields plain dictionaries in the order of its input; offsets and
quotes are in the input's own script.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from policytext import convert, engine, ingest
from policytext.config import Config
from policytext.records import Document, Passage, Skipped, content_id

BATCH = 500  # lines judged at once: enough for the arrays to pay, few enough to answer a pipe soon
_LONE = re.compile(r"[\ud800-\udfff]")  # surrogates, which are no characters


def documents(sources: Sequence[Path | str], config: Config) -> Iterator[Document | Skipped]:
    """Read files and folders; yield each document, or why it was skipped."""
    for source in ingest.find([Path(source) for source in sources]):
        for unit in ingest.units(source, config.ingest):
            yield unit if isinstance(unit, Skipped) else ingest.read(unit, config.ingest)


def read(sources: Sequence[Path | str], config: Config) -> Iterator[dict[str, Any]]:
    """Yield what was read as one dictionary a document: metadata, where each fact comes from, the original text.

    An input that was skipped gives `{"path", "skipped"}` with the reason.
    """
    for found in documents(sources, config):
        if isinstance(found, Skipped):
            yield {"path": found.path, "skipped": found.reason}
            continue
        yield ingest.describe(found)


def rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield `{"id", "text"}` for each line: JSON objects if the first line that is not blank is one, else plain text.

    A JSON line that cannot be used gives `{"id", "error"}`; nothing is dropped. Blank lines among JSON lines say
    nothing; in plain text they are passages without text. Ids of plain text are numbers of lines, from 1.
    """
    as_json: bool | None = None
    blank = 0  # lines before the first that tells what these lines are
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n").removeprefix("\ufeff")
        if as_json is None:
            if not text.strip():
                blank += 1
                continue
            as_json = text.lstrip().startswith("{")
            yield from () if as_json else _blank(blank)
        if not as_json:
            yield {"id": str(number), "text": text}
        elif text.strip():
            yield _parsed(text, number)
    if as_json is None:
        yield from _blank(blank)


def _blank(count: int) -> Iterator[dict[str, Any]]:
    return ({"id": str(number), "text": ""} for number in range(1, count + 1))


def _parsed(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        return {"id": None, "error": f"line {number} is not JSON: {error}"}
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        return {"id": None, "error": f'line {number}: an object with a string "text" is expected'}
    return {"id": row.get("id", str(number)), "text": row["text"]}


def tag(lines: Iterable[str], config: Config) -> Iterator[dict[str, Any]]:
    """Judge each line as one passage: `{"id", "labels", "tags", "evidence"}`."""
    for batch in _batches(rows(lines)):
        judged = iter(tag_all([row["text"] for row in batch if "text" in row], config))
        for row in batch:
            yield {"id": row["id"], **next(judged)} if "text" in row else row


def remarks(config: Config) -> list[str]:
    """Return what a reader of the tags has to know, such as an edit of the codebook that the model does not know."""
    return engine.rooms(config).tagger.remarks()


def tag_all(texts: Sequence[str], config: Config) -> Iterator[dict[str, Any]]:
    """Judge each text as one passage: `{"labels", "tags", "evidence"}`."""
    return _judge([_document({"text": text}) for text in texts], engine.rooms(config))


def _judge(docs: Sequence[Document], rooms: engine.Rooms) -> Iterator[dict[str, Any]]:
    docs = [convert.simplify(doc, rooms.config.convert) for doc in docs]
    passages = [
        Passage(str(i), 0, 0, len(doc.text), "body", "", doc.text, rooms.segmenter.cut(doc.text))
        for i, doc in enumerate(docs)
    ]
    order = {label: i for i, label in enumerate(rooms.codebook.ids())}
    for doc, (tags, evidence) in zip(docs, rooms.tagger.explained(passages), strict=True):
        first = {one.label: one for one in reversed(tags)}  # a term that stands there twice is one tag here
        decided = {label for label, one in first.items() if one.decision == "yes"}
        yield {
            "labels": sorted(decided, key=order.__getitem__),
            "tags": [
                {"label": one.label, "probability": one.probability, "decision": one.decision, "method": one.method}
                for one in tags
                if one is first[one.label]
            ],
            "evidence": [_quote(doc, hit) for hit in evidence],
        }


def _quote(doc: Document, hit: Any) -> dict[str, Any]:
    start, end = doc.alignment.to_original(hit.start, hit.end)
    return {
        "label": hit.label,
        "term": hit.term,
        "method": hit.method,
        "start": start,
        "end": end,
        "quote": doc.original[start:end],
    }


def simplify(lines: Iterable[str], *, variant: str = "auto", alignment: bool = False) -> Iterator[dict[str, Any]]:
    """Convert each line: `{"id", "text", "variant", "script"}`, and `alignment` with its edits if asked."""
    for row in rows(lines):
        if "text" not in row:
            yield row
            continue
        done = convert.convert(row["text"], variant)
        result = {"id": row["id"], "text": done.text, "variant": done.variant, "script": done.script}
        yield result | ({"alignment": [list(edit) for edit in done.alignment.edits]} if alignment else {})


def split(text: str, config: Config) -> Iterator[dict[str, Any]]:
    """Split a text into passages and words; `start` and `end` count code points of the simplified text.

    `original_start` and `original_end` say where the passage stands in the input.
    """
    rooms = engine.rooms(config)
    doc = convert.simplify(_document({"text": text}), config.convert)
    for passage in rooms.segmenter.split(doc):
        start, end = doc.alignment.to_original(passage.start, passage.end)
        row = asdict(passage)
        row.pop("doc_id")
        yield row | {"words": list(passage.words), "original_start": start, "original_end": end}


def _document(row: dict[str, Any]) -> Document:
    text = _LONE.sub("\ufffd", row["text"])
    return Document(content_id(text), "-", 0, "", original=text, text=text)


def _batches(items: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
