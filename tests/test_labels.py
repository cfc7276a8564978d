import gzip
import json
from pathlib import Path

import pytest

from policytext import labels
from policytext.errors import LabelError

OWN = Path(__file__).parents[1] / "corpora" / "digital_government" / "labels"
SHARED = Path(__file__).parents[2] / "shared"


def write(path: Path, *rows: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def reference(text: str, paragraph: int) -> dict[str, object]:
    place = {"file": "laws", "doc": "law-1", "paragraph": paragraph}
    return {"id": f"r{paragraph}", **place, "sha256": labels.sha256(text), "labels": ["stage.open"]}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared" / "corpora"
    folder.mkdir(parents=True)
    with gzip.open(folder / "laws.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"id": "law-1", "text": "第一條 總則\n第二條 主動公開"}, ensure_ascii=False) + "\n")
    return folder.parent


def test_a_passage_with_text_is_read_as_it_stands(tmp_path: Path):
    row = {
        "id": 1,
        "text": "主动公开政府信息",
        "labels": ["stage.open"],
        "evidence": {"stage.open": [0, 4]},
        "year": 2008,
    }
    (passage,) = labels.read(write(tmp_path / "a.jsonl", row))
    assert (passage.id, passage.labels, passage.evidence) == ("1", ("stage.open",), {"stage.open": (0, 4)})
    assert passage.decade == "2000s"


def test_a_quoted_clause_is_taken_as_evidence(tmp_path: Path):
    row = {"text": "主动公开政府信息", "labels": ["stage.open"], "evidence": {"stage.open": "政府信息"}}
    (passage,) = labels.read(write(tmp_path / "a.jsonl", row))
    assert passage.evidence == {"stage.open": (4, 8)}


@pytest.mark.usefixtures("shared")
def test_a_reference_finds_its_text_again(tmp_path: Path):
    (passage,) = labels.read(write(tmp_path / "a.jsonl", reference("第二條 主動公開", 1)))
    assert passage.text == "第二條 主動公開"
    assert passage.group == "laws/law-1"


def test_a_reference_to_a_changed_text_is_refused(tmp_path: Path, shared: Path):
    with pytest.raises(LabelError, match="SHA-256 differs"):
        labels.read(write(tmp_path / "a.jsonl", reference("第二條 公開", 1)), shared=shared)


def test_missing_texts_are_an_error_or_left_out(tmp_path: Path):
    path = write(tmp_path / "a.jsonl", reference("第二條", 1), {"id": "b", "text": "文", "labels": []})
    with pytest.raises(LabelError, match="1 of 2 passages"):
        labels.read(path, shared=tmp_path / "nowhere")
    assert [p.id for p in labels.read(path, shared=tmp_path / "nowhere", missing="skip")] == ["b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "not JSON"),
        ("[]", "object"),
        ('{"text": "文"}', "list of label ids"),
        ('{"labels": []}', "sha256"),
        ('{"text": "文", "labels": ["a.b"], "evidence": {"a.b": [0, 9]}}', "evidence"),
        ('{"text": "文", "labels": ["a.b"], "evidence": [0, 1]}', "evidence"),
        ('{"text": "文", "labels": ["a.b"], "second_reading": "a.b"}', "second_reading"),
        ('{"text": null, "labels": []}', "sha256"),
        ('{"file": "a", "doc": 1, "paragraph": "2", "sha256": "0", "labels": []}', "paragraph"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, line: str, message: str):
    (tmp_path / "a.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(LabelError, match=message) as caught:
        labels.read(tmp_path / "a.jsonl")
    assert "a.jsonl:1" in str(caught.value)


@pytest.mark.usefixtures("shared")
def test_null_is_no_text_and_zero_is_a_document(tmp_path: Path):
    rows = [
        reference("第二條 主動公開", 1) | {"text": None, "evidence": None},
        *({"id": i, "doc": i // 2, "text": f"第{i}段", "labels": []} for i in range(4)),
    ]
    passages = labels.read(write(tmp_path / "a.jsonl", *rows))
    assert passages[0].text == "第二條 主動公開"
    assert [(p.id, p.group) for p in passages[1:]] == [("0", "/0"), ("1", "/0"), ("2", "/1"), ("3", "/1")]


def test_of_two_references_to_one_text_both_are_tried(tmp_path: Path, shared: Path):
    here = reference("第二條 主動公開", 1)
    gone = here | {"id": "other", "file": "speeches"}
    for order in ([here, gone], [gone, here]):
        found = labels.read(write(tmp_path / "a.jsonl", *order), shared=shared)
        assert {p.text for p in found} == {"第二條 主動公開"}


def test_labels_in_another_encoding_are_named(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text('{"text": "公开", "labels": []}\n', encoding="gb18030")
    with pytest.raises(LabelError, match=r"a\.jsonl: not UTF-8"):
        labels.read(tmp_path / "a.jsonl")


def test_no_file_is_an_error(tmp_path: Path):
    with pytest.raises(LabelError, match="no label file"):
        labels.read(tmp_path)


def test_references_of_the_project_carry_no_text():
    files = sorted(OWN.glob("train*.jsonl"))
    assert len(files) == 7
    for file in files:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        assert all("text" not in row and len(row["sha256"]) == 64 for row in rows)


@pytest.mark.skipif(not (SHARED / "gold").is_dir(), reason="needs ../shared/gold with the referenced texts")
def test_every_reference_of_the_project_is_found_and_untampered():
    passages = labels.read(OWN, shared=SHARED)
    assert len(passages) == 2881 + 4009 + 887 + 1005 + 1498 + 1803 + 3565 + 1450 + 240 + 1082 + 370
    assert all(labels.sha256(p.text) == p.sha256 for p in passages)
    assert len({p.id for p in passages}) == len(passages)


@pytest.mark.skipif(not (SHARED / "gold").is_dir(), reason="needs ../shared/gold/reserved.csv")
def test_no_label_lies_in_a_reserved_document():
    lines = (SHARED / "gold" / "reserved.csv").read_text(encoding="utf-8").split()[1:]
    reserved = {line.replace(",", "/", 1) for line in lines}
    assert reserved.isdisjoint(p.group for p in labels.read(OWN, shared=SHARED))
