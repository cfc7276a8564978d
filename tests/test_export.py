import sys

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest

from policytext.errors import UsageError
from policytext.report import export

HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1+1"]


def frame(**columns):
    return pd.DataFrame(columns)


def test_csv_opens_in_excel_and_keeps_both_scripts(tmp_path):
    (file,) = export({"trends": frame(label=["赋能", "賦權"], share=[0.5, None])}, tmp_path, "csv")
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig") == "label,share\r\n赋能,0.5\r\n賦權,\r\n"


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_text_is_never_a_formula(tmp_path, text):
    (file,) = export({"t": frame(text=[text])}, tmp_path, "csv")
    back = pd.read_csv(file, encoding="utf-8-sig", keep_default_na=False)["text"][0]
    assert back == "'" + text


def test_csv_guards_categories_too(tmp_path):
    (file,) = export({"t": frame(text=pd.Categorical(["=1"]))}, tmp_path, "csv")
    assert "'=1" in file.read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("text", ["-3.5", "+12", "-1,000", "政务公开", "a=b"])
def test_csv_leaves_harmless_text_alone(tmp_path, text):
    (file,) = export({"t": frame(text=[text])}, tmp_path, "csv")
    assert pd.read_csv(file, encoding="utf-8-sig", dtype=str)["text"][0] == text


def test_csv_quotes_newlines_and_writes_lists_as_json(tmp_path):
    (file,) = export({"t": frame(text=["一\n二"], words=[["数据", "共享"]])}, tmp_path, "csv")
    back = pd.read_csv(file, encoding="utf-8-sig")
    assert back["text"][0] == "一\n二"
    assert back["words"][0] == '["数据", "共享"]'


def test_csv_survives_lone_surrogates(tmp_path):
    (file,) = export({"t": frame(text=pd.Series(["a\ud800b"], dtype=object))}, tmp_path, "csv")
    assert "a?b" in file.read_text(encoding="utf-8-sig")


def sheet(file, name):
    return openpyxl.load_workbook(file)[name]


@pytest.mark.parametrize("text", [*HOSTILE, "https://example.org", "00123", "{=1}"])
def test_xlsx_text_stays_text(tmp_path, text):
    (file,) = export({"t": frame(text=[text])}, tmp_path, "xlsx")
    cell = sheet(file, "t")["A2"]
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_xlsx_has_a_sheet_a_table_and_numbers_as_numbers(tmp_path):
    tables = {"trends": frame(share=[0.25, None], n=[3, 4]), "skipped": frame(path=["a.pdf"])}
    (file,) = export(tables, tmp_path / "tables.xlsx", "xlsx")
    assert openpyxl.load_workbook(file).sheetnames == ["trends", "skipped"]
    assert [c.value for c in sheet(file, "trends")[2]] == [0.25, 3]
    assert sheet(file, "trends")["A3"].value is None


def test_xlsx_replaces_control_characters_and_cuts_at_the_limit_of_a_cell(tmp_path):
    (file,) = export({"t": frame(text=["a\x00b\x0b", "政" * 40_000, "𠮷" * 20_000])}, tmp_path, "xlsx")
    values = [sheet(file, "t").cell(row, 1).value for row in (2, 3, 4)]
    assert values[0] == "a\ufffdb\ufffd"
    assert len(values[1]) == 32_767
    assert values[1].endswith("…")
    assert set(values[2][:-1]) == {"𠮷"}


def test_xlsx_splits_a_table_that_no_sheet_can_hold_and_says_so(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sys.modules["policytext.report.export"], "XLSX_ROWS", 2)
    (file,) = export({"t": frame(n=[1, 2, 3])}, tmp_path, "xlsx")
    assert openpyxl.load_workbook(file).sheetnames == ["t", "t_2"]
    assert "it fills 2 sheets" in caplog.text


def test_xlsx_sheet_names_are_cut_and_unique(tmp_path):
    name = "a" * 40
    (file,) = export({name: frame(n=[1]), name + "b": frame(n=[2])}, tmp_path, "xlsx")
    names = openpyxl.load_workbook(file).sheetnames
    assert len(set(names)) == 2
    assert all(len(n) <= 31 for n in names)


def test_parquet_keeps_lists_and_types(tmp_path):
    table = frame(words=[["数据", "共享"], []], n=[1, 2], share=[0.5, None])
    (file,) = export({"t": table}, tmp_path, "parquet")
    assert pq.read_table(file).to_pylist() == [
        {"words": ["数据", "共享"], "n": 1, "share": 0.5},
        {"words": [], "n": 2, "share": None},
    ]


def test_parquet_column_without_values_is_text(tmp_path):
    (file,) = export({"t": frame(number=pd.Series([None, None], dtype=object), n=[1, 2])}, tmp_path, "parquet")
    assert str(pq.read_schema(file).field("number").type) == "string"


def test_dta_holds_long_chinese_text(tmp_path):
    (file,) = export({"t": frame(text=["政" * 5000, None], share=[0.5, None], yes=[True, False])}, tmp_path, "dta")
    back = pd.read_stata(file)
    assert back["text"].tolist() == ["政" * 5000, ""]
    assert back["yes"].tolist() == [1, 0]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet", "dta"])
def test_empty_table_keeps_its_columns(tmp_path, kind):
    (file,) = export(
        {"t": pd.DataFrame({"label": pd.Series([], dtype=str), "n": pd.Series([], dtype=int)})}, tmp_path, kind
    )
    readers = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet, "dta": pd.read_stata}
    assert list(readers[kind](file).columns) == ["label", "n"]


def test_unknown_format_names_the_valid_ones(tmp_path):
    with pytest.raises(UsageError, match="csv, xlsx, parquet, dta"):
        export({"t": frame(n=[1])}, tmp_path, "sav")


def test_table_name_cannot_climb_out_of_the_folder(tmp_path):
    with pytest.raises(UsageError, match="cannot be named"):
        export({"../x": frame(n=[1])}, tmp_path, "csv")


def test_failed_export_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch):
    export({"t": frame(n=[1])}, tmp_path, "csv")
    monkeypatch.setattr(pd.DataFrame, "to_csv", lambda *_, **__: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        export({"t": frame(n=[2])}, tmp_path, "csv")
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]
    assert "1" in (tmp_path / "t.csv").read_text(encoding="utf-8-sig")
