"""A store answers with the config and codebook that it was made with."""

import json
from dataclasses import replace

import pytest

import policytext as pt
from policytext import analysis, codebook, pipeline, views
from policytext.config import load
from policytext.errors import UsageError
from policytext.report import export
from policytext.store import Store


@pytest.fixture
def own(texts, tmp_path):
    """Make a store with a codebook and config of one's own, outside the repository."""
    (tmp_path / "book.toml").write_text(codebook.template(), encoding="utf-8")
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\n[tag]\ncodebook = "book.toml"\n[trends]\nlevel = 0.8\n', encoding="utf-8"
    )
    pipeline.run([texts], out=tmp_path / "out", config=tmp_path / "mine.toml")
    return tmp_path


def labels(folder):
    return set(codebook.load(folder / "book.toml").ids())


def test_without_a_config_the_answer_is_that_of_the_run(own):
    assert set(pt.trend(own / "out")["label"]) == labels(own)
    before = (own / "out" / "report.html").read_text(encoding="utf-8")
    page = pt.write_report(own / "out")
    assert page.read_text(encoding="utf-8") == before
    files = pt.export_tables(own / "out", own / "csv")
    exported = next(file for file in files if file.name == "trends.csv").read_text(encoding="utf-8-sig")
    assert exported == (own / "out" / "trends.csv").read_text(encoding="utf-8")


def test_another_codebook_is_refused_and_nothing_is_overwritten(own):
    before = (own / "out" / "report.html").read_bytes()
    for ask in (
        lambda: pt.trend(own / "out", config=load()),
        lambda: pt.write_report(own / "out", config=load()),
        lambda: pt.export_tables(own / "out", own / "csv", config=load()),
    ):
        with pytest.raises(UsageError, match=r"judged with codebook .*is not .*judges them anew, without --config"):
            ask()
    assert (own / "out" / "report.html").read_bytes() == before


def test_an_edited_codebook_asks_for_a_run(own, texts):
    book = own / "book.toml"
    book.write_text(book.read_text(encoding="utf-8").replace('version = "', 'version = "9'), encoding="utf-8")
    with pytest.raises(UsageError, match="was edited since"):
        pt.trend(own / "out")
    pipeline.run([texts], out=own / "out", config=own / "mine.toml")
    assert set(pt.trend(own / "out")["label"]) == labels(own)


def test_an_edited_config_is_read_anew_and_a_lost_one_is_remembered(own):
    with Store.open(own / "out", read_only=True) as store:
        assert analysis.config_of(store) == load(own / "mine.toml")
        text = (own / "mine.toml").read_text(encoding="utf-8")
        (own / "mine.toml").write_text(text.replace("0.8", "0.9"), encoding="utf-8")
        assert analysis.config_of(store).trends.level == 0.9
        (own / "mine.toml").unlink()
        lost = analysis.config_of(store)
    assert (lost.name, lost.trends.level, lost.tag.model) == ("mine", 0.8, None)
    assert lost.resolve(lost.tag.codebook) == (own / "book.toml").resolve()


def test_a_config_made_in_python_is_remembered_as_it_was(texts, tmp_path):
    config = replace(load(), trends=replace(load().trends, by=("region",)))
    pipeline.run([texts], out=tmp_path / "out", config=config)
    assert "region" in pt.trend(tmp_path / "out").columns


def test_a_cut_off_judging_gives_no_trend(own):
    with Store.open(own / "out") as store:
        store.connection.execute("UPDATE documents SET instrument = 'x' WHERE id IN (SELECT min(id) FROM documents)")
    with pytest.raises(UsageError, match="cut off"):
        pt.trend(own / "out")


def test_a_run_that_fails_at_once_leaves_the_store_its_config(own):
    with pytest.raises(UsageError, match="nowhere"):
        pipeline.run([own / "nowhere"], out=own / "out")
    assert set(pt.trend(own / "out")["label"]) == labels(own)


def test_a_store_of_before_answers_with_the_default(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    with Store.open(tmp_path / "out") as store:
        store.connection.execute("DELETE FROM meta WHERE key IN ('config', 'codebook', 'last_run')")
    assert set(pt.trend(tmp_path / "out")["label"]) == set(codebook.load(load().resolve(load().tag.codebook)).ids())
    pt.write_report(tmp_path / "out")


def test_the_store_names_its_codebook(own):
    with Store.open(own / "out", read_only=True) as store:
        kept = json.loads(store.get("codebook"))
    assert kept["sha256"] == codebook.load(own / "book.toml").sha256()


def test_a_run_says_which_labels_wait_for_a_classifier(texts, tmp_path):
    book = codebook.template().replace('decided_by = "terms"', 'decided_by = "classifier"')
    (tmp_path / "book.toml").write_text(book, encoding="utf-8")
    (tmp_path / "mine.toml").write_text('name = "mine"\n[tag]\ncodebook = "book.toml"\n', encoding="utf-8")
    notes = pipeline.run([texts], out=tmp_path / "out", config=tmp_path / "mine.toml").notes
    assert any(note.startswith("no classifier for goal.supply") for note in notes)
    assert not any("no classifier" in note for note in pipeline.run([texts], out=tmp_path / "own").notes)


def test_keyness_counts_a_text_once_and_leaves_out_what_is_not_known(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    text = "临江市推进政务公开工作，公开财政预算，听取市民意见，接受社会监督，提高办事效率，优化营商环境。" * 4
    for n, outlet in enumerate("甲乙丙丁"):
        (folder / f"{n}.txt").write_text(f"来源：{outlet}报\n2019年5月{n + 1}日\n{text}\n", encoding="utf-8")
    (folder / "x.txt").write_text(
        "2021年5月1日\n" + "北海市完善养老服务，建设社区食堂，方便老年居民。" * 8, encoding="utf-8"
    )
    (folder / "y.txt").write_text("没有日期的文章，说的是别的事情，例如体育和艺术教育。" * 8, encoding="utf-8")
    done = pipeline.run([folder], out=tmp_path / "out")
    assert any("are reprints of 1 text:" in note for note in done.notes)
    with Store.open(tmp_path / "out", read_only=True) as store:
        table = views.keyness(store, "date=2019", min_count=2)
        assert table.attrs["unknown"] == 1
        store_dates = [
            views.keyness(store, f"date={span}", min_count=1).attrs["unknown"] for span in ("2021-05", "2018..2020")
        ]
        assert store_dates == [1, 1]
        assert table.set_index("word").loc["政务公开" if "政务公开" in set(table["word"]) else "财政", "target"] == 4


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2015-03", [True, True, False, None, None]),
        ("2015-03..2015-06", [True, True, True, None, None]),
        ("2015..2016", [True, True, True, True, None]),
        ("2015-03-02", [True, None, False, None, None]),
    ],
)
def test_a_year_is_neither_in_a_month_nor_out_of_it(tmp_path, asked, expected):
    condition, params = views._condition("date", asked)
    dates = ["2015-03-02", "2015-03", "2015-04", "2015", None]
    with Store.open(tmp_path) as store:
        rows = [
            store.connection.execute(
                f"SELECT {condition} FROM (SELECT ?::VARCHAR AS date) d", [*params, date]
            ).fetchone()
            for date in dates
        ]
    assert [row[0] for row in rows] == expected


def test_a_second_run_goes_on_with_the_config_of_the_store(own, texts):
    again = pipeline.run([texts], out=own / "out")
    assert again.nothing_new
    assert any(note.startswith('config "mine"') for note in again.notes)
    assert set(pt.trend(own / "out")["label"]) == labels(own)


def test_a_wrong_path_leaves_no_store_behind(tmp_path):
    with pytest.raises(UsageError, match="nowhere"):
        pipeline.run([tmp_path / "nowhere"], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "empty").mkdir()
    assert any(
        "no document is stored" in note for note in pipeline.run([tmp_path / "empty"], out=tmp_path / "out").notes
    )


def test_keyness_of_nothing_says_what_there_is(texts, tmp_path):
    pipeline.run([texts], out=tmp_path / "out")
    with Store.open(tmp_path / "out", read_only=True) as store:
        with pytest.raises(UsageError, match=r"label=stage.opne; there is .*stage\."):
            views.keyness(store, "label=stage.opne")
        with pytest.raises(UsageError, match="no passage is of script=x; there is hans"):
            views.keyness(store, "script=x")


def test_export_says_when_a_folder_is_wanted(tmp_path):
    with pytest.raises(UsageError, match="name a folder, or the format xlsx"):
        export({}, tmp_path / "a.xlsx", "csv")
    with pytest.raises(UsageError, match=r"name a folder$"):
        export({}, tmp_path / "a.csv", "csv")
