"""Reading: whatever lies in a folder becomes documents or skips with a reason, never an error, never nothing."""

import gzip
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest

from policytext import ingest
from policytext.config import IngestConfig
from policytext.errors import ConfigError, UsageError
from policytext.records import Document, Skipped

CONFIG = IngestConfig()
TEXT = "各区人民政府：\n为推进数字政府建设，提高政务服务效率，现就有关事项通知如下。\n一、推进数据共享开放。"


def everything(*paths: Path, config: IngestConfig = CONFIG) -> tuple[list[Document], list[Skipped]]:
    results: list[Document | Skipped] = []
    for source in ingest.find(paths):
        for unit in ingest.units(source, config):
            if isinstance(unit, ingest.Unit):
                unit = pickle.loads(pickle.dumps(unit))  # noqa: S301, PLW2901 - it travels to a worker like that
                results.append(ingest.read(unit, config))
            else:
                results.append(unit)
    return [r for r in results if isinstance(r, Document)], [r for r in results if isinstance(r, Skipped)]


def test_find_is_sorted_and_independent_of_argument_order(tmp_path):
    for name in ("b/2.txt", "a/1.txt", "a/.hidden", "a/~$lock.docx", "b/Thumbs.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    one = ingest.find([tmp_path / "a", tmp_path / "b"])
    assert [source.label for source in one] == ["1.txt", "2.txt"]
    assert one == ingest.find([tmp_path / "b", tmp_path / "a", tmp_path / "a" / "1.txt"])


def test_same_labels_of_two_sources_are_told_apart(tmp_path):
    for name in ("a/x.txt", "b/x.txt", "c/a/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(TEXT, encoding="utf-8")
    labels = [s.label for s in ingest.find([tmp_path / "a", tmp_path / "b"])]
    assert labels == ["a/x.txt", "b/x.txt"]
    labels = [s.label for s in ingest.find([tmp_path / "a", tmp_path / "c" / "a"])]
    assert len(set(labels)) == 2


def test_missing_source_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        ingest.find([tmp_path / "nothing"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
def test_plain_text_is_read_in_any_encoding(tmp_path, encoding):
    (tmp_path / "x.txt").write_bytes(TEXT.encode(encoding))
    docs, skipped = everything(tmp_path)
    assert not skipped
    assert docs[0].original == docs[0].text == TEXT
    assert docs[0].encoding == encoding


def test_jsonl_rows_become_documents_and_broken_lines_skips(tmp_path):
    rows = [
        {"id": "a", "title": "甲", "date": "2021-03-05", "issuer_or_source": "国务院", "genre": "policy", "text": TEXT}
    ]
    lines = ["", json.dumps(rows[0], ensure_ascii=False), "{broken", "", "[1]", '{"text": ""}', ""]
    with gzip.open(tmp_path / "x.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    docs, skipped = everything(tmp_path)
    assert [(d.source_id, d.title, d.date, d.issuer, d.date_source) for d in docs] == [
        ("a", "甲", "2021-03-05", "国务院", "declared")
    ]
    assert [s.member for s in skipped] == [2, 4, 5]
    assert "line 3 is not valid JSON" in skipped[0].reason


def test_a_line_of_utf16_ends_where_a_line_ends(tmp_path):
    row = json.dumps({"id": "a", "text": f"{TEXT}\u2028{TEXT}"}, ensure_ascii=False)
    (tmp_path / "x.jsonl").write_bytes(f"\r\n{row}\r\n{{broken\r\n".encode("utf-16"))
    docs, skipped = everything(tmp_path)
    assert [doc.source_id for doc in docs] == ["a"]
    assert "line 3 is not valid JSON" in skipped[0].reason


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig"])
def test_csv_columns_are_guessed_by_their_names(tmp_path, encoding):
    table = f'标题,发布日期,来源,正文\n甲,2022年6月6日,人民日报,"{TEXT}"\n乙,,,\n'
    (tmp_path / "x.csv").write_bytes(table.encode(encoding))
    docs, skipped = everything(tmp_path)
    assert (docs[0].title, docs[0].date, docs[0].outlet, docs[0].text) == ("甲", "2022-06-06", "人民日报", TEXT)
    assert [s.reason for s in skipped] == ["it holds no text"]


def test_config_columns_win_and_a_missing_one_is_said(tmp_path):
    (tmp_path / "x.csv").write_text(f'body,abstract\n"{TEXT}",another text\n', encoding="utf-8")
    docs, _ = everything(tmp_path, config=IngestConfig(columns={"text": "abstract"}))
    assert docs[0].text == "another text"
    _, skipped = everything(tmp_path, config=IngestConfig(columns={"text": "nope"}))
    assert "body, abstract" in skipped[0].reason
    with pytest.raises(ConfigError, match="unknown field"):
        everything(tmp_path, config=IngestConfig(columns={"txt": "body"}))


def test_xlsx_and_parquet_rows(tmp_path):
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    book = openpyxl.Workbook()
    book.active.append(["title", "text"])
    book.active.append(["甲", TEXT])
    book.save(tmp_path / "x.xlsx")
    pq.write_table(pa.table({"title": ["甲"], "text": [TEXT]}), tmp_path / "x.parquet")
    docs, skipped = everything(tmp_path)
    assert not skipped
    assert [(d.title, d.text) for d in docs] == [("甲", TEXT)] * 2


def test_a_workbook_with_a_wrong_size_is_read_whole(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["title", "text"], ["甲", TEXT], ["乙", f"{TEXT}又"]):
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as old, zipfile.ZipFile(tmp_path / "x.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'<dimension ref="A1:B3"', b'<dimension ref="A1"'))
    (tmp_path / "whole.xlsx").unlink()
    assert [doc.title for doc in everything(tmp_path)[0]] == ["甲", "乙"]


def test_docx_paragraphs_and_tables_in_order(tmp_path):
    import docx

    document = docx.Document()
    document.add_paragraph("关于推进数字政府建设的通知")
    document.add_table(rows=1, cols=2).rows[0].cells[1].text = "右"
    document.add_paragraph("各区人民政府要抓好落实。")
    document.save(str(tmp_path / "x.docx"))
    docs, _ = everything(tmp_path)
    assert docs[0].text.split("\n") == ["关于推进数字政府建设的通知", "\t右", "各区人民政府要抓好落实。"]


def test_html_keeps_the_article_and_drops_the_rest(tmp_path):
    body = "".join(f"<p>这是第{n}段正文，说的是数字政府建设和政务服务的事情，内容足够长。</p>" for n in range(8))
    page = (
        f"<html><head><title>数字政府</title></head><body><nav>首页 登录</nav><article>{body}</article></body></html>"
    )
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    docs, _ = everything(tmp_path)
    assert docs[0].text.startswith("这是第0段")
    assert "登录" not in docs[0].text


def test_zip_members_are_read_and_nothing_climbs_out(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("../../up.txt", TEXT)
        archive.writestr("rows.jsonl", json.dumps({"text": TEXT}))
        archive.writestr("photo.jpg", b"\xff\xd8")
    docs, skipped = everything(tmp_path)
    assert [d.member for d in docs] + [s.member for s in skipped] == [0, 2, 1]
    assert [p.name for p in tmp_path.iterdir()] == ["x.zip"]


def test_zip_bomb_is_skipped(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big.txt", b"0" * 100_000_000)
    (tmp_path / "x.zip").write_bytes(buffer.getvalue())
    docs, skipped = everything(tmp_path)
    assert not docs
    assert "bomb" in skipped[0].reason


@pytest.mark.parametrize(
    "name", ["x.docx", "x.pdf", "x.xlsx", "x.parquet", "x.zip", "x.json", "x.jsonl.gz", "x.html", "x"]
)
def test_garbage_is_skipped_with_a_reason(tmp_path, name):
    (tmp_path / name).write_bytes(bytes(range(256)) * 20)
    docs, skipped = everything(tmp_path)
    assert not docs
    assert len(skipped) == 1
    assert skipped[0].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_links_and_unreadable_files_are_skips(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.txt").write_text(TEXT, encoding="utf-8")
    os.mkfifo(folder / "pipe.txt")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "dangling.txt").symlink_to(tmp_path / "nowhere")
    (folder / "empty.txt").touch()
    (folder / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0")
    docs, skipped = everything(folder)
    assert not docs
    assert len(skipped) == 5
    assert all(s.room == "ingest" and s.reason for s in skipped)


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.xlsx"])
def test_manifest_wins_over_what_is_extracted_and_names_what_is_missing(tmp_path, name):
    rows = [
        ["文件名", "标题", "发布日期", "来源"],
        ["a/1.txt", "清单里的标题", "2020-05-01", "某报"],
        ["gone.txt", "没有", "", ""],
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text(f"关于推进工作的通知\n{TEXT}\n某市人民政府\n2021年3月5日\n", encoding="utf-8")
    (tmp_path / "2.txt").write_text(TEXT, encoding="utf-8")
    if name.endswith("csv"):
        (tmp_path / name).write_text("\n".join(",".join(row) for row in rows), encoding="gb18030")
    else:
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        book.save(tmp_path / name)
    docs, skipped = everything(tmp_path)
    told = next(doc for doc in docs if doc.path == "a/1.txt")
    assert (told.title, told.date, told.outlet, told.date_source) == ("清单里的标题", "2020-05-01", "某报", "declared")
    assert told.signed == "2021-03-05"
    assert any("disagree" in note for note in told.notes)
    assert [s.path for s in skipped] == ["gone.txt"]


def test_change_of_a_manifest_row_shows_in_the_stamp(tmp_path):
    (tmp_path / "1.txt").write_text(TEXT, encoding="utf-8")
    stamps = []
    for title in ("甲", "甲", "乙"):
        (tmp_path / "manifest.csv").write_text(f"path,title\n1.txt,{title}\n", encoding="utf-8")
        stamps.append(ingest.find([tmp_path])[0].stamp)
    assert stamps[0] == stamps[1] != stamps[2]


def test_manifest_without_a_path_column_is_a_skip_that_says_so(tmp_path):
    (tmp_path / "manifest.csv").write_text("title\n甲\n", encoding="utf-8")
    (tmp_path / "1.txt").write_text(TEXT, encoding="utf-8")
    docs, skipped = everything(tmp_path)
    assert len(docs) == 1
    assert 'no column "path"' in skipped[0].reason


def rows_of(tmp_path: Path, name: str, content: str | bytes) -> list[tuple[str | None, str | None, str]]:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    docs, skipped = everything(tmp_path)
    assert not skipped
    return [(doc.title, doc.date, doc.text) for doc in docs]


@pytest.mark.parametrize(
    "table",
    [
        "标题,日期,正文\n甲,2021-03-05,第一句话，说明要求,第二句话，说明措施\n",
        "sep=;\n标题;日期;正文\n甲;2021-03-05;第一句话，说明要求,第二句话，说明措施\n",
        '\n\n标题,日期,正文\n甲,2021-03-05,"第一句话，说明要求,第二句话，说明措施"\n',
        '政策文件汇总表,,\n标题,日期,正文\n甲,2021-03-05,"第一句话，说明要求,第二句话，说明措施"\n',
        "标题\t日期\t正文\t正文\n甲\t2021-03-05\t第一句话，说明要求,第二句话，说明措施\t\n",
    ],
)
def test_a_table_as_it_comes_loses_no_text(tmp_path, table):
    assert rows_of(tmp_path, "x.csv", table) == [("甲", "2021-03-05", "第一句话，说明要求,第二句话，说明措施")]


def test_records_in_json_are_found_and_paragraphs_joined(tmp_path):
    records = [{"title": "甲", "content": ["第一段说明要求。", "第二段说明措施。"]}]
    wrapped = json.dumps({"source": "https://example.org/policies/list/2021.html", "items": records})
    assert rows_of(tmp_path, "x.json", wrapped) == [("甲", None, "第一段说明要求。\n第二段说明措施。")]


def test_a_workbook_with_a_title_row_and_days_as_numbers(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["政策文件汇总表"], ["标题", "发布日期", "正文"], ["甲", 44260, TEXT]):
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.save(tmp_path / "x.xlsx")
    content = (tmp_path / "x.xlsx").read_bytes()
    assert rows_of(tmp_path, "x.xlsx", content) == [("甲", "2021-03-05", TEXT)]
    (tmp_path / "x.xlsx").unlink()
    assert rows_of(tmp_path, "x.xlsx.gz", gzip.compress(content)) == [("甲", "2021-03-05", TEXT)]


def test_gzipped_files_in_a_zip_are_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt.gz", gzip.compress(TEXT.encode()))
        archive.writestr("b.txt.gz", b"\x1f\x8bnothing")
    docs, skipped = everything(tmp_path)
    assert [doc.text for doc in docs] == [TEXT]
    assert skipped[0].reason.startswith("b.txt.gz: ")


def test_an_object_with_comments_is_its_own_article(tmp_path):
    article = {
        "title": "新闻",
        "html": TEXT,
        "comments": [{"user": "甲", "content": "好"}, {"user": "乙", "content": "赞"}],
    }
    assert [text for _, _, text in rows_of(tmp_path, "x.json", json.dumps(article))] == [TEXT]


@pytest.mark.parametrize("name", ["政策原文", "doc"])
def test_marks_in_a_table_of_one_column_cut_nothing(tmp_path, name):
    lines = [f"第{i}条说明数字政府建设的要求; 以及数据|信息的开放和共享" for i in range(3)]
    assert [text for _, _, text in rows_of(tmp_path, "x.csv", "\n".join([name, *lines]))] == lines
