"""The script that a researcher writes with the same packages: convert, cut, fit, predict, group by year.

    python benchmarks/obvious.py LABELLED.jsonl CORPUS.jsonl[.gz] ...

It prints one JSON object: passages, characters, seconds to fit and to tag, million characters a second.
"""

import gzip
import json
import logging
import sys
import time
from pathlib import Path

import jieba
import opencc
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer


def cut(text: str) -> list[str]:
    return [word for word in jieba.cut(text) if word.strip()]


def rows(path: Path):
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main(labelled: Path, corpora: list[Path]) -> None:
    jieba.setLogLevel(logging.ERROR)
    converter = opencc.OpenCC("t2s")
    started = time.perf_counter()
    gold = list(rows(labelled))
    binarizer = MultiLabelBinarizer()
    truth = binarizer.fit_transform([row["labels"] for row in gold])
    vectorizer = TfidfVectorizer(analyzer=cut, min_df=2)
    features = vectorizer.fit_transform([converter.convert(row["text"]) for row in gold])
    model = OneVsRestClassifier(LogisticRegression(max_iter=1000, class_weight="balanced")).fit(features, truth)
    fitted = time.perf_counter()
    found, characters = [], 0
    for corpus in corpora:
        for doc in rows(corpus):
            for line in doc["text"].split("\n"):
                passage = line.strip()
                if len(passage) >= 20:
                    found.append({"year": (doc["date"] or "")[:4], "text": converter.convert(passage)})
                    characters += len(passage)
    table = pd.DataFrame(found)
    table[list(binarizer.classes_)] = model.predict(vectorizer.transform(table["text"]))
    table.groupby("year")[list(binarizer.classes_)].mean().to_csv(sys.stderr)
    tagged = time.perf_counter()
    print(
        json.dumps(
            {
                "passages": len(table),
                "characters": characters,
                "fit_seconds": round(fitted - started, 2),
                "tag_seconds": round(tagged - fitted, 2),
                "million_characters_per_second": round(characters / (tagged - fitted) / 1e6, 4),
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
