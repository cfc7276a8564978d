"""The command line: exit statuses, streams, order."""

import json
import os
import subprocess
import sys
import time

import pytest


def policytext(*arguments, stdin="", **options):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "policytext", *map(str, arguments)]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, encoding="utf-8", env=environment, check=False, **options
    )


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_tag_answers_line_by_line_in_order():
    lines = [
        '{"id": "x", "text": "本市推動開放資料，公布預算資料集供民眾再利用。"}',
        '{"id": "y"}',
        "not json",
        '{"id": 7, "text": ""}',
    ]
    done = policytext("tag", stdin="\n".join(lines))
    found = rows(done)
    assert [row["id"] for row in found] == ["x", None, None, 7]
    assert done.returncode == 3
    assert "error" in found[1]
    assert "line 3" in found[2]["error"]
    for hit in found[0]["evidence"]:
        assert "本市推動開放資料，公布預算資料集供民眾再利用。"[hit["start"] : hit["end"]] == hit["quote"]


def test_tag_takes_plain_lines():
    found = rows(policytext("tag", stdin="推进一网通办，让数据多跑路。\n粮食产量稳定。\n"))
    assert [row["id"] for row in found] == ["1", "2"]
    assert found[0]["labels"] == ["stage.informatization"]
    assert found[1]["labels"] == []


def test_convert_knows_the_variants():
    assert policytext("convert", "--from", "twp", stdin="資料庫與軟體\n").stdout == "数据库与软件\n"
    assert policytext("convert", "--from", "t", stdin="資料庫與軟體\n").stdout == "资料库与软体\n"
    found = rows(policytext("convert", "--from", "twp", "--alignment", stdin="資料庫\n"))
    assert found[0]["text"] == "数据库"
    assert found[0]["alignment"] == []


def test_segment_tiles_the_text():
    text = "一、总体要求\n推进一网通办，让数据多跑路，让群众少跑腿。\n"
    for row in rows(policytext("segment", stdin=text)):
        assert text[row["start"] : row["end"]] == row["text"] == "".join(row["words"])


def test_ingest_shows_documents_and_skips(texts):
    done = policytext("ingest", texts, "--max-skipped", "0")
    found = rows(done)
    assert len(found) == 6
    assert [row["path"] for row in found if "skipped" in row] == ["e.docx"]
    assert done.returncode == 3
    assert "read 6 = documents 5 + skipped 1" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("run", "nowhere"), 2, "nowhere"),
        (("run", "--config", "nowhere.toml"), 2, "nowhere.toml"),
        (("trends", "--out", "nowhere"), 1, "policytext run"),
        (("run", "--nonsense"), 2, "nonsense"),
        (("codebook", "check", "nowhere.toml"), 2, "nowhere.toml"),
        (("codebook", "check", "."), 2, "name a TOML file"),
        (("codebook", "new", "nowhere/mine.toml"), 1, "nowhere/mine.toml: No such file"),
        (("run", "note.txt", "--out", "note.txt"), 1, "note.txt: File exists"),
        (("run", "note.txt", "--out", "note.txt/results"), 1, "note.txt/results: Not a directory"),
        (("trends", "--out", "note.txt"), 1, "no DuckDB file"),
        (("train", "--labels", "labels.jsonl", "--model", "note.txt"), 1, "note.txt: cannot be a folder"),
        (("tag", "gbk.txt"), 2, "gbk.txt: not UTF-8"),
        (("convert", "."), 2, "cannot be read"),
    ],
)
def test_errors_say_what_to_do_and_set_the_status(arguments, status, message, tmp_path):
    (tmp_path / "note.txt").write_text("推进一网通办，让数据多跑路。\n", encoding="utf-8")
    (tmp_path / "gbk.txt").write_text("推进一网通办，让数据多跑路。\n", encoding="gb18030")
    done = policytext(*arguments, cwd=tmp_path)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_in_another_encoding_is_named():
    command = [sys.executable, "-m", "policytext", "tag"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command, input="数据多跑路".encode("gb18030"), capture_output=True, env=environment, check=False
    )
    assert done.returncode == 2
    assert b"standard input: not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_surrogate_in_an_id_comes_back():
    done = policytext("tag", stdin='{"id": "\\ud83d", "text": "粮食"}\n')
    assert rows(done)[0]["id"] == "\ud83d"


def test_an_unknown_config_key_names_the_nearest(tmp_path):
    (tmp_path / "c.toml").write_text("[topics]\nkk = 3\n", encoding="utf-8")
    done = policytext("run", "--config", tmp_path / "c.toml", cwd=tmp_path)
    assert done.returncode == 2
    assert 'did you mean "k"' in done.stderr


def test_run_reports_json_and_no_bar_in_a_pipe(texts, tmp_path):
    done = policytext("run", texts, "--out", tmp_path / "out", "--json", "--max-skipped", "0")
    assert done.returncode == 3
    assert json.loads(done.stdout.splitlines()[-1])["counts"]["read"] == 6
    assert "━" not in done.stderr
    assert "read 6 = stored 4 + duplicates 1 + skipped 1" in done.stderr
    again = policytext("run", texts, "--out", tmp_path / "out")
    assert "Nothing to do" in again.stderr
    table = policytext("trends", "--out", tmp_path / "out", "--by", "script", "--period", "month")
    assert table.stdout.startswith("label,period,script")
    assert policytext("kwic", "政务", "--out", tmp_path / "out").stdout.count("【政务】") > 0
    sensitivity = policytext("trends", "--out", tmp_path / "out", "--sensitivity")
    assert "share_jieba" in sensitivity.stdout.splitlines()[0]
    assert sensitivity.stdout.splitlines()[0].endswith("robust")
    assert policytext("keyness", "script=hant", "--out", tmp_path / "out").stdout.startswith("word,target")
    assert policytext("keyness", "colour=red", "--out", tmp_path / "out").returncode == 2
    assert policytext("codebook", "coverage", "--out", tmp_path / "out").stdout.startswith("label,")
    exported = policytext("export", "--out", tmp_path / "out", "--format", "xlsx", "--to", tmp_path / "t.xlsx")
    assert exported.returncode == 0
    assert (tmp_path / "t.xlsx").stat().st_size > 5000


def test_evaluate_scores_labels(tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text(
        '{"id": "1", "text": "推进一网通办，让数据多跑路。", "labels": ["stage.informatization"]}\n'
        '{"id": "2", "text": "粮食产量稳定。", "labels": []}\n',
        encoding="utf-8",
    )
    found = rows(policytext("evaluate", "--labels", labels, "--readings", "--json"))[-1]
    assert found["readings"]["passages"] == 2
    assert found["passages"] == 2
    assert found["notes"][0].startswith("no passage names its document")
    with labels.open("a", encoding="utf-8") as lines:
        lines.write('{"id": "3", "text": "开放公共数据。", "labels": ["stage.open"], "made": true}\n')
    scored = policytext("evaluate", "--labels", labels).stdout
    assert "note: passages made for training, which are not scored: 1\n" in scored
    labels.write_text(
        '{"id": "3", "text": "开放公共数据。", "labels": ["stage.open"], "made": true}\n', encoding="utf-8"
    )
    assert "all passages were made for training" in policytext("evaluate", "--labels", labels).stderr
    labels.write_text('{"id": "1", "text": "x", "labels": ["stage.wrong"]}\n', encoding="utf-8")
    assert "stage.wrong" in policytext("evaluate", "--labels", labels).stderr


def test_version_and_help_answer_fast():
    assert policytext("--version").stdout.startswith("policytext ")
    started = time.perf_counter()
    assert "Example: policytext run" in policytext("run", "--help").stdout
    assert time.perf_counter() - started < 20  # a hang, not a benchmark: speed is measured in benchmarks/


def test_a_new_codebook_is_valid_and_never_overwrites(tmp_path):
    assert policytext("codebook", "new", tmp_path / "mine.toml").returncode == 0
    assert "valid" in policytext("codebook", "check", tmp_path / "mine.toml").stdout
    assert policytext("codebook", "new", tmp_path / "mine.toml").returncode == 2


def test_training_writes_over_nothing_but_a_model(tmp_path):
    (tmp_path / "labels.jsonl").write_text('{"text": "粮食产量稳定。", "labels": []}\n', encoding="utf-8")
    (tmp_path / "card.json").write_text('{"name": "not ours"}', encoding="utf-8")
    done = policytext("train", "--labels", tmp_path / "labels.jsonl", "--model", tmp_path)
    assert "no card of a model" in done.stderr
    assert (tmp_path / "card.json").read_text(encoding="utf-8") == '{"name": "not ours"}'
