"""The tagging path on one core (convert, segment, tag, with evidence) against the obvious script: characters a second.

    python benchmarks/tag_speed.py [--corpora ../shared/corpora] [--sample N] [--labelled ../shared/gold/train.jsonl]

Every N-th document, with a second reading of doubtful passages, of none and of all, the script before and after.
Reading files, store, topics and report are left out: `run_speed.py` has them.
"""

import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from run_speed import HERE, arguments, obvious_speed, sample
from threadpoolctl import threadpool_limits

from policytext import config as configs
from policytext import convert, engine
from policytext.records import Document

BATCH = 500_000  # characters tagged at a time, as in a run


def documents(paths: list[Path]) -> list[Document]:
    rows = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return [Document(str(i), "-", i, "", original=row["text"], text=row["text"]) for i, row in enumerate(rows)]


def tagged(docs: list[Document], rooms: engine.Rooms) -> int:
    """Take documents through convert, segment and tag; return how many passages that made."""
    passages, waiting, size = 0, [], 0
    for doc in docs:
        waiting += rooms.segmenter.split(convert.simplify(doc, rooms.config.convert))
        size += len(doc.text)
        if size > BATCH:
            passages += len(waiting)
            rooms.tagger.columns(waiting)
            waiting, size = [], 0
    rooms.tagger.columns(waiting)
    return passages + len(waiting)


def main() -> None:
    asked = arguments()
    config = configs.load()
    with tempfile.TemporaryDirectory() as name:
        paths = sample(sorted(asked.corpora.glob("*.jsonl.gz")), asked.sample, Path(name))
        script = [sys.executable, str(HERE / "obvious.py"), str(asked.labelled), *map(str, paths)]
        obvious = [obvious_speed(script)]
        docs = documents(paths)
        speeds = {}
        for second in ("doubtful", "none", "all"):
            rooms = engine.build(replace(config, tag=replace(config.tag, second_reading=second)))
            tagged(docs[:100], rooms)  # dictionaries compile at first use
            with threadpool_limits(1):
                started = time.perf_counter()
                passages = tagged(docs, rooms)
                speeds[second] = sum(len(doc.text) for doc in docs) / (time.perf_counter() - started) / 1e6
            print(f"second reading of {second}: {passages:,} passages, {speeds[second]:.2f} million characters/s")
        obvious.append(obvious_speed(script))
        for second, speed in speeds.items():
            print(f"ratio, second reading of {second}:", *(f"{speed / one:.1f}" for one in obvious))


if __name__ == "__main__":
    main()
