"""The main job end to end: counts add up, runs resume, order and workers change nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from policytext import outputs, pipeline
from policytext.config import load
from policytext.errors import UsageError
from policytext.segment import Segmenter
from policytext.store import Store

ORDER = {
    "documents": "id",
    "passages": "doc_id, n",
    "tags": 'doc_id, n, label, method, start, "end"',
    "evidence": "doc_id, n, label, method, term, start",
    "topics": "doc_id, n",
    "topic_terms": "topic, rank",
    "skipped": "path, member, reason",
    "duplicates": "path, member",
    "reprints": "doc_id",
}


def tables(out):
    """All that a run found out, in a fixed order; where and when it ran is left out."""
    with Store.open(out, read_only=True) as store:
        return {
            name: store.arrow(f"SELECT * FROM {name} ORDER BY {order}").to_pylist() for name, order in ORDER.items()
        }


def test_counts_add_up_and_outputs_are_there(texts, tmp_path):
    done = pipeline.run([texts], out=tmp_path / "out")
    assert done.counts["read"] == done.counts["stored"] + done.counts["duplicates"] + done.counts["skipped"] == 6
    assert (done.counts["stored"], done.counts["duplicates"], done.counts["skipped"]) == (4, 1, 1)
    assert done.totals["read"] == 6
    page = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert page["run"]["read"] == 6
    assert page["provenance"]["instrument"] == done.instrument
    assert "e.docx" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "out" / "trends.csv").read_text(encoding="utf-8").startswith("label,period,documents")
    assert not list((tmp_path / "out").glob("*.part"))


def test_a_second_run_does_nothing(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    before = (tmp_path / "out" / "report.html").stat().st_mtime_ns
    again = pipeline.run([texts], out=tmp_path / "out")
    assert again.nothing_new
    assert again.counts["files_unchanged"] == 5
    assert (tmp_path / "out" / "report.html").stat().st_mtime_ns == before


def test_a_changed_file_is_read_again(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    (texts / "a.txt").write_text(
        "临江市政务公开通告\n主动公开财政预算，接受社会监督，听取市民意见。\n", encoding="utf-8"
    )
    again = pipeline.run([texts], out=tmp_path / "out")
    assert again.counts["files_changed"] == 1
    pipeline.run([texts], out=tmp_path / "fresh")
    assert tables(tmp_path / "out")["documents"] == tables(tmp_path / "fresh")["documents"]
    assert tables(tmp_path / "out")["duplicates"] == []


def test_a_touched_file_is_not_read_again(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    os.utime(texts / "a.txt", ns=(1, 1))
    assert pipeline.run([texts], out=tmp_path / "out").nothing_new


def test_a_file_of_the_same_name_elsewhere_is_another_file(tmp_path):
    for folder, year in (("x", "一"), ("y", "二")):
        (tmp_path / folder / "sub").mkdir(parents=True)
        file = tmp_path / folder / "sub" / "a.txt"
        file.write_text(f"临江市第{year}号通告\n主动公开财政预算，接受社会监督。\n", encoding="utf-8")
        os.utime(file, ns=(1, 1))  # same name, size and time
    pipeline.run([tmp_path / "x"], out=tmp_path / "out")
    second = pipeline.run([tmp_path / "y"], out=tmp_path / "out")
    assert (second.counts["stored"], second.counts["files_gone"], second.totals["documents"]) == (1, 1, 2)
    assert sum("not in the sources now" in note for note in second.notes) == 1
    both = pipeline.run([tmp_path / "x", tmp_path / "y"], out=tmp_path / "out")
    assert both.nothing_new
    (tmp_path / "x" / "sub" / "a.txt").write_text("临江市第三号通告\n主动公开财政预算。\n", encoding="utf-8")
    third = pipeline.run([tmp_path / "x", tmp_path / "y"], out=tmp_path / "out")
    assert (third.counts["files_changed"], third.totals["documents"]) == (1, 2)
    with Store.open(tmp_path / "out", read_only=True) as store:
        assert store.sql("SELECT path FROM documents ORDER BY path")["path"].tolist() == ["sub/a.txt", "y/sub/a.txt"]


def test_a_moved_folder_is_known_again(texts, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(texts, parts)
    pipeline.run([parts], out=tmp_path / "out")
    parts.rename(tmp_path / "elsewhere")
    assert pipeline.run([tmp_path / "elsewhere"], out=tmp_path / "out").nothing_new
    (tmp_path / "elsewhere" / "a.txt").write_text("临江市通告\n主动公开财政预算。\n", encoding="utf-8")
    assert pipeline.run([tmp_path / "elsewhere"], out=tmp_path / "out").counts["files_changed"] == 1


def test_a_copy_outside_the_sources_keeps_its_document(tmp_path):
    text = "临江市政务公开通告\n主动公开财政预算，接受社会监督。\n"
    for name in ("a/1.txt", "b/2.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text, encoding="utf-8")
    pipeline.run([tmp_path / "a", tmp_path / "b"], out=tmp_path / "out")
    (tmp_path / "a" / "1.txt").write_text("临江市通告\n听取市民意见。\n", encoding="utf-8")
    narrower = pipeline.run([tmp_path / "a"], out=tmp_path / "out")
    assert (narrower.totals["documents"], narrower.totals["duplicates"]) == (2, 0)
    with Store.open(tmp_path / "out", read_only=True) as store:
        assert store.sql("SELECT path FROM documents ORDER BY path")["path"].tolist() == ["1.txt", "2.txt"]
        assert set(store.files()) == {"1.txt", "2.txt"}


def test_settings_of_reading_hold_for_each_file(tmp_path):
    for name in ("a/1.txt", "b/2.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"临江市通告{name}\n听取市民意见。\n", encoding="utf-8")
    pipeline.run([tmp_path / "a", tmp_path / "b"], out=tmp_path / "out")
    config = replace(load(), ingest=replace(load().ingest, min_document_chars=3))
    narrower = pipeline.run([tmp_path / "a"], out=tmp_path / "out", config=config)
    assert (narrower.counts["files_changed"], narrower.totals["documents"]) == (1, 2)
    assert any("other [ingest] settings" in note for note in narrower.notes)
    whole = pipeline.run([tmp_path / "a", tmp_path / "b"], out=tmp_path / "out", config=config)
    assert (whole.counts["files_changed"], whole.counts["files_unchanged"]) == (1, 1)


def test_a_file_that_cannot_be_read_any_more_loses_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "1.txt"
    file.write_text("临江市通告\n听取市民意见。\n", encoding="utf-8")
    pipeline.run([tmp_path / "a"], out=tmp_path / "out")
    file.unlink()
    file.symlink_to(tmp_path / "nowhere")
    done = pipeline.run([tmp_path / "a"], out=tmp_path / "out")
    assert (done.totals["documents"], done.counts["files_gone"]) == (1, 1)
    assert any("cannot be read now" in note for note in done.notes)


def test_a_file_is_read_once_that_is_permitted(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text("临江市通告\n听取市民意见。\n", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(os, "access", lambda *_, **__: False)
        assert pipeline.run([tmp_path / "a"], out=tmp_path / "out").totals["skipped"] == 1
        assert pipeline.run([tmp_path / "a"], out=tmp_path / "out").nothing_new
    done = pipeline.run([tmp_path / "a"], out=tmp_path / "out")
    assert (done.totals["documents"], done.totals["skipped"]) == (1, 0)


def test_results_inside_the_sources_are_not_read(texts, tmp_path, monkeypatch):
    parts = tmp_path / "parts"
    shutil.copytree(texts, parts)
    monkeypatch.chdir(parts)
    first = pipeline.run(["."])
    assert pipeline.run(["."]).nothing_new
    pipeline.run([texts], out=parts / "other")
    second = pipeline.run(["."])
    assert (second.counts["read"], second.counts["skipped"]) == (1, 1)
    assert second.totals["documents"] == first.totals["documents"]
    beside = pipeline.run([parts], out=parts)
    assert beside.totals["documents"] == first.totals["documents"]
    assert pipeline.run([parts], out=parts).nothing_new


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes any bytes as a name")
def test_a_name_that_is_no_utf8_is_read(tmp_path):
    (tmp_path / "in").mkdir()
    name = os.fsdecode("市政府公告.txt".encode("gb18030"))
    (tmp_path / "in" / name).write_text("临江市通告\n听取市民意见。\n", encoding="utf-8")
    pipeline.run([tmp_path / "in"], out=tmp_path / "out", workers=1)
    assert pipeline.run([tmp_path / "in"], out=tmp_path / "out").nothing_new
    with Store.open(tmp_path / "out", read_only=True) as store:
        found = store.sql("SELECT path FROM documents")["path"].tolist()
    assert found == ["市政府公告.txt"]


def test_the_order_of_sources_changes_nothing(texts, tmp_path):
    files = sorted(texts.iterdir())
    pipeline.run(files, out=tmp_path / "forward")
    pipeline.run(files[::-1], out=tmp_path / "backward")
    assert tables(tmp_path / "forward") == tables(tmp_path / "backward")


def test_the_number_of_workers_and_batches_changes_nothing(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "one", workers=1)
    config = tmp_path / "small.toml"
    root = load().root
    config.write_text(
        f'[tag]\ncodebook = "{root}/configs/codebooks/digital_government.toml"\n'
        f'model = "{root}/models/digital_government/classifier"\n'
        f'[segment]\nwords = "{root}/configs/words.txt"\n[run]\nbatch_chars = 20\n',
        encoding="utf-8",
    )
    pipeline.run([texts], out=tmp_path / "two", workers=2, config=config)
    one, two = tables(tmp_path / "one"), tables(tmp_path / "two")
    for name in ("passages", "evidence", "skipped", "duplicates"):
        assert one[name] == two[name], name
    assert [row["decision"] for row in one["tags"]] == [row["decision"] for row in two["tags"]]


def test_new_files_are_added_to_what_is_there(texts, tmp_path):
    parts = tmp_path / "parts"
    shutil.copytree(texts, parts)
    (parts / "a.txt").rename(tmp_path / "a.txt")
    pipeline.run([parts], out=tmp_path / "out")
    (tmp_path / "a.txt").rename(parts / "a.txt")
    added = pipeline.run([parts], out=tmp_path / "out")
    assert added.counts["read"] == 1
    pipeline.run([texts], out=tmp_path / "fresh")
    assert tables(tmp_path / "out")["documents"] == tables(tmp_path / "fresh")["documents"]
    assert tables(tmp_path / "out")["duplicates"] == tables(tmp_path / "fresh")["duplicates"]


@pytest.mark.parametrize("how", ["file", "standard input"])
def test_a_plain_script_may_use_several_workers(texts, tmp_path, how):
    script = (
        f"from policytext import run\nprint(run([{str(texts)!r}], out={str(tmp_path / 'out')!r}, workers=2).counts)\n"
    )
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "script.py") if how == "file" else "-"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, input=script, env=environment, capture_output=True, text=True, check=True)
    alone = pipeline.run([texts], out=tmp_path / "alone", workers=1)
    assert done.stdout.strip() == str(alone.counts)


@pytest.mark.parametrize("room", ["_topics", "_trends"])
def test_what_a_run_did_not_come_to_is_made_by_the_next(texts, tmp_path, monkeypatch, room):
    parts = tmp_path / "parts"
    shutil.copytree(texts, parts)
    (parts / "a.txt").rename(tmp_path / "a.txt")
    pipeline.run([parts], out=tmp_path / "out")
    (tmp_path / "a.txt").rename(parts / "a.txt")

    def fails(*_):
        raise MemoryError("no memory left")

    with monkeypatch.context() as broken:
        broken.setattr(outputs, room, fails)
        with pytest.raises(MemoryError):
            pipeline.run([parts], out=tmp_path / "out")
    done = pipeline.run([parts], out=tmp_path / "out")
    assert not done.nothing_new
    page = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert page["totals"]["documents"] == done.totals["documents"]
    assert pipeline.run([parts], out=tmp_path / "out").nothing_new


def test_another_instrument_judges_everything_anew(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    config = tmp_path / "terms.toml"
    root = load().root
    config.write_text(
        f'[tag]\ncodebook = "{root}/configs/codebooks/digital_government.toml"\nmodel = ""\n', encoding="utf-8"
    )
    done = pipeline.run([texts], out=tmp_path / "out", config=config)
    assert any("judged anew" in note for note in done.notes)
    with Store.open(tmp_path / "out", read_only=True) as store:
        assert list(store.instruments()) == [done.instrument]


def test_a_document_that_cannot_be_judged_anew_is_skipped_with_its_copies(texts, tmp_path, monkeypatch):
    pipeline.run([texts], out=tmp_path / "out")
    split = Segmenter.split

    def fails(self, doc):
        if "一网通办" in doc.text:
            raise ValueError("cannot split this")
        return split(self, doc)

    monkeypatch.setattr(Segmenter, "split", fails)
    config = replace(load(), tag=replace(load().tag, model=None))
    done = pipeline.run([texts], out=tmp_path / "out", config=config, workers=1)
    fresh = pipeline.run([texts], out=tmp_path / "fresh", config=config, workers=1)
    assert done.totals == fresh.totals
    assert done.totals["read"] == 6
    assert {row.path for row in done.skipped if "cannot split this" in row.reason} == {"a.txt", "c.txt"}
    assert tables(tmp_path / "out") == tables(tmp_path / "fresh")


def test_topics_that_were_fitted_half_way_are_fitted_by_the_next_run(tmp_path, monkeypatch):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(60):
        subject = ("水库堤防防汛抗旱巡查", "学校教师课程学生考试", "养老医院医生护士病床")[i % 3]
        (folder / f"{i:02}.txt").write_text(f"简讯第{i}号\n" + f"今年{subject}工作继续推进。\n" * 3, encoding="utf-8")
    config = replace(load(), topics=replace(load().topics, k=2, min_passages=2, max_share=0.9))
    pipeline.run([folder], out=tmp_path / "out", config=config)
    with Store.open(tmp_path / "out") as store:
        assert len(store.sql("SELECT DISTINCT topic FROM topic_terms")) == 2
        outputs.refit_topics(store, config.topics, tmp_path / "out", k=3)
    again = pipeline.run([folder], out=tmp_path / "out", config=config)
    assert not again.nothing_new  # the page shows the new topics
    before = tables(tmp_path / "out")
    assert len({row["topic"] for row in before["topic_terms"]}) == 3

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, Store.open(tmp_path / "out") as store:
        broken.setattr(Store, "replace", dies)
        with pytest.raises(KeyboardInterrupt):
            outputs.refit_topics(store, config.topics, tmp_path / "out", k=4)
    pipeline.run([folder], out=tmp_path / "out", config=config)
    after = tables(tmp_path / "out")
    assert len({row["topic"] for row in after["topic_terms"]}) == 2
    assert {row["topic"] for row in after["topics"]} <= {-1, 0, 1}


def test_a_missing_source_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        pipeline.run([tmp_path / "nowhere"], out=tmp_path / "out")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_run_is_finished_by_the_next(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for i in range(300):
        text = f"第{i}号简讯\n" + f"本市第{i}个政务服务站启用，群众可以在网上提交申请，系统自动分派。\n" * 20
        (folder / f"{i:03}.txt").write_text(text, encoding="utf-8")
    config = tmp_path / "small.toml"
    root = load().root
    config.write_text(
        f'[tag]\ncodebook = "{root}/configs/codebooks/digital_government.toml"\n'
        f'model = "{root}/models/digital_government/classifier"\n'
        f'[segment]\nwords = "{root}/configs/words.txt"\n[run]\nbatch_chars = 4000\n',
        encoding="utf-8",
    )
    pipeline.run([folder], out=tmp_path / "whole", workers=1, config=config)
    code = "import sys; from policytext import run; run(sys.argv[1:2], out=sys.argv[2], config=sys.argv[3], workers=1)"
    command = [sys.executable, "-c", code, str(folder), str(tmp_path / "killed"), str(config)]
    process = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    wal = tmp_path / "killed" / "policytext.duckdb.wal"
    deadline = time.monotonic() + 60
    while not (wal.exists() and wal.stat().st_size > 50_000) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    pipeline.run([folder], out=tmp_path / "killed", workers=1)
    killed, whole = tables(tmp_path / "killed"), tables(tmp_path / "whole")
    probabilities = [[row.pop("probability") for row in found["tags"]] for found in (killed, whole)]
    assert killed == whole
    assert probabilities[0] == pytest.approx(probabilities[1], abs=2e-4)  # sums depend on the batch in the last bits
