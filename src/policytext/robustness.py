"""Does a figure depend on the instrument? The same trend with other words, the same tags with other readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from policytext import aggregate, convert, engine, segment, views
from policytext.config import Config
from policytext.labels import LabelledPassage
from policytext.records import CODED_KINDS, Document, Passage, content_id
from policytext.store import Store

_CODED = ", ".join(f"'{kind}'" for kind in CODED_KINDS)


def sensitivity(store: Store, config: Config) -> pd.DataFrame:
    """Return the trend of a store, and beside each share what other segmenters would have made of it.

    For each instrument that `segment.instruments` names (the other engine, no domain words) all coded passages are cut
    and tagged again. Columns beside those of `views.trends`: `share_NAME` for each, and `robust`, whether all of them
    lie inside the interval of the default share; empty where there is no share. Slow: the reference engine cuts about
    0.4 million characters a second.
    """
    rooms = engine.rooms(config)
    counts = views.counts(store, config)
    table = aggregate.trend(counts, config.trends)
    robust = table["share"].notna() | table["share"].isna()
    _, *others = segment.instruments(config.segment, engine.domain_words(config, rooms.codebook))
    for instrument in others:
        other = aggregate.trend(_recounted(store, rooms, instrument, counts), config.trends)["share"]
        table[f"share_{instrument.name}"] = other
        robust &= other.isna() | other.between(table["low"] - 1e-9, table["high"] + 1e-9)
    table["robust"] = robust.astype("boolean").where(table["share"].notna())
    return table


def _recounted(store: Store, rooms: engine.Rooms, instrument: segment.Instrument, counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts with what is tagged when the instrument cuts the words."""
    parts = [pd.DataFrame(columns=["doc_id", "n", "label", "decision"], dtype=object)]
    for batch in _passages(store):
        columns = rooms.tagger.columns(instrument.recut(batch)).tags
        tags = pd.DataFrame({name: columns[name].to_pandas() for name in ("doc_id", "n", "label", "decision")})
        parts.append(tags[tags["decision"] != "no"].drop_duplicates(["doc_id", "n", "label"]))
    decided = pd.concat([part for part in parts if len(part)] or parts)
    found = decided.groupby(["doc_id", "label"], as_index=False).agg(
        tagged=("decision", lambda values: int((values == "yes").sum())),
        abstained=("decision", lambda values: int((values == "abstain").sum())),
    )
    again = counts.drop(columns=["tagged", "abstained"]).merge(found, how="left", on=["doc_id", "label"])
    return again.fillna({"tagged": 0, "abstained": 0}).astype({"tagged": "int64", "abstained": "int64"})


def _passages(store: Store) -> Iterator[list[Passage]]:
    query = (
        f'SELECT doc_id, n, start, "end", kind, heading, text FROM passages WHERE kind IN ({_CODED}) ORDER BY doc_id, n'
    )
    for batch in store.stream(query):
        yield [Passage(**row) for row in batch.to_pylist()]


@dataclass(frozen=True)
class Dependence:
    """How many decided tags would change if the conversion had read a character or word otherwise."""

    passages: int
    with_choice: int  # passages where the conversion had a choice
    decided: int  # tags decided yes in all passages
    dependent: int  # of these and of those not decided, how many change with some other reading
    examples: tuple[str, ...]  # "id: label, chosen -> other", at most 20


def dependence(rows: Sequence[LabelledPassage], config: Config) -> Dependence:
    """Tag each passage once more for each other reading of each ambiguous span, one span at a time.

    The ledger of readings is `convert.ambiguities`; what a simplified text merged (后 for 後) is no choice of ours and
    is left out.
    """
    rooms = engine.rooms(config)
    docs = [convert.simplify(_document(row.text), config.convert) for row in rows]
    readings = [list(_readings(doc)) for doc in docs]
    base = decided([doc.text for doc in docs], rooms)
    others = decided([text for found in readings for _, text in found], rooms)
    changed: list[str] = []
    tags: set[tuple[int, str]] = set()
    at = 0
    for i, (row, labels, found) in enumerate(zip(rows, base, readings, strict=True)):
        for name, _ in found:
            changed += [f"{row.id}: {label}, {name}" for label in sorted(labels ^ others[at])]
            tags |= {(i, label) for label in labels ^ others[at]}
            at += 1
    return Dependence(len(rows), sum(map(bool, readings)), sum(map(len, base)), len(tags), tuple(changed[:20]))


def _readings(doc: Document) -> Iterator[tuple[str, str]]:
    for span in convert.ambiguities(doc):
        if span.kind != "merged":
            for other in span.others:
                yield f"{span.chosen} -> {other}", doc.text[: span.start] + other + doc.text[span.end :]


def decided(texts: Sequence[str], rooms: engine.Rooms) -> list[set[str]]:
    """Return the labels decided yes of each simplified text, whatever decides them."""
    passages = [
        Passage(str(i), 0, 0, len(text), "body", "", text, rooms.segmenter.cut(text)) for i, text in enumerate(texts)
    ]
    found: list[set[str]] = [set() for _ in texts]
    for tag in rooms.tagger.tag(passages):
        if tag.decision == "yes":
            found[int(tag.doc_id)].add(tag.label)
    return found


def _document(text: str) -> Document:
    return Document(content_id(text), "-", 0, "", original=text, text=text)
