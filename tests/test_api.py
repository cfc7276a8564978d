"""The public names: as promised, documented, light to import."""

import subprocess
import sys

import pandas as pd
import pytest

import policytext as pt
from policytext.errors import StoreError, UsageError

NAMES = [
    "PolicyTextError",
    "evaluate_labels",
    "export_tables",
    "kwic",
    "load_codebook",
    "load_config",
    "open_store",
    "read",
    "run",
    "simplify",
    "split",
    "tag_texts",
    "train_classifier",
    "trend",
    "write_report",
]


def test_public_names_are_these():
    assert sorted(pt.__all__) == NAMES
    assert dir(pt) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there_and_documented(name):
    assert getattr(pt, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = pt.nonsense


def test_importing_loads_no_heavy_library():
    code = "import sys, policytext; print([m for m in ('numpy', 'pandas', 'sklearn', 'spacy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_whole_path_from_python(texts, tmp_path):
    done = pt.run([texts], out=tmp_path / "out")
    assert done.totals["documents"] == 4
    table = pt.trend(tmp_path / "out", by=["script"])
    assert {"label", "period", "script", "share", "low", "high"} <= set(table.columns)
    assert len(pt.kwic(tmp_path / "out", "政务服务")) > 0
    assert len(pt.kwic(tmp_path / "out", r"政务(?=服务)\w", regex=True)) > 0
    assert pt.kwic(tmp_path / "out", "無此詞").empty
    hits = pt.kwic(tmp_path / "out", "會議紀錄", width=4)
    assert hits.attrs["sought"] == "会议纪录"
    assert hits[["left", "term", "right"]].to_numpy().tolist() == [["開預算與", "會議紀錄", "，供民眾"]]
    with pt.open_store(tmp_path / "out") as store:
        original = store.sql("SELECT original FROM documents WHERE id = ?", [hits["doc_id"][0]])["original"][0]
    assert original[hits["original_start"][0] : hits["original_end"][0]] == "會議紀錄"
    pt.export_tables(tmp_path / "out", tmp_path / "csv")
    evidence = pd.read_csv(tmp_path / "csv" / "evidence.csv")
    assert "公開" in " ".join(evidence["quote"])
    assert (evidence["original_end"] > evidence["original_start"]).all()
    with pytest.raises(UsageError, match="no regular expression"):
        pt.kwic(tmp_path / "out", "(", regex=True)
    files = pt.export_tables(tmp_path / "out", tmp_path / "csv")
    assert {file.name for file in files} >= {"trends.csv", "documents.csv", "tags.csv"}
    with pt.open_store(tmp_path / "out") as store:
        assert len(store.sql("SELECT * FROM documents")) == 4


def test_tagging_quotes_the_input_as_it_is_written():
    table = pt.tag_texts(["本市推動開放資料，公布預算資料集供民眾再利用。", ""])
    assert len(table) == 2
    for row in table.itertuples():
        for hit in row.evidence:
            assert row.text[hit["start"] : hit["end"]] == hit["quote"]


def test_one_text_or_path_is_no_list_of_characters(texts, tmp_path):
    with pytest.raises(UsageError, match="takes a list of texts"):
        pt.tag_texts("推进一网通办")
    with pytest.raises(UsageError, match="text 1 is None"):
        pt.tag_texts(["推进一网通办", None])
    assert list(pt.tag_texts([])) == ["text", "labels", "evidence"]
    assert pt.run(str(texts), out=tmp_path / "out").totals["documents"] == 4
    assert "region" in pt.trend(tmp_path / "out", by="region")
    with pytest.raises(StoreError, match=r"--out .*nosuch"):
        pt.trend(tmp_path / "nosuch")
