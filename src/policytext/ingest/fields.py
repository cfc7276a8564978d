"""Columns of tables and keys of JSON to the fields of a document: the config's mapping wins, then known names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from policytext.errors import ConfigError, ReadError

# Field -> names, most telling first; compared without case, spaces, hyphens and underscores.
_LISTS = {
    "text": """text content fulltext body maintext rawtext article articletext contents 正文 全文 正文内容 正文內容 文本
        内容 內容 本文 内文 內文 文章内容 文章內容 文件内容 文件內容""",
    "title": """title headline 标题 標題 题名 題名 题目 題目 文件名称 文件名稱 政策名称 政策名稱 法规名称 法規名稱 篇名
        名称 名稱 subject name""",
    "date": """date 成文日期 发文日期 發文日期 签发日期 發布日期 发布日期 公布日期 發布時間 发布时间 日期 时间 時間
        pubdate publishdate publisheddate published publishedat publishtime datepublished datetime
        issuedate year 年份""",
    "issuer": """issuer 发文机关 發文機關 发文单位 發文單位 制定机关 制定機關 发布机关 發布機關 发布机构 發布機構
        发布部门 发文部门 颁布部门 agency department issuingauthority 机构 機構""",
    "outlet": """outlet source 来源 來源 媒体 媒體 media newspaper publisher 出处 出處 刊名 报刊 site
        sitename website""",
    "issuer_or_source": "issuerorsource issuersource",
    "author": "author authors 作者 byline 记者 記者 speaker 撰文",
    "number": "number 文号 文號 发文字号 發文字號 发文文号 documentnumber docnumber 字号 字號",
    "genre": "genre 体裁 體裁 文种 文種 文体 文體 doctype documenttype 类型 類型",
    "region": "region 地区 地區 区域 區域 省份 province",
    "level": "level 层级 層級 级别 級別 效力级别 效力位阶",
    "source_id": "id docid documentid sourceid uuid 编号 編號 序号 序號 key",
    "url": "url link href 链接 鏈接 連結 网址 網址",
}
NAMES = {field: tuple(names.split()) for field, names in _LISTS.items()}
_FIELD_OF = {name: (field, rank) for field, names in NAMES.items() for rank, name in enumerate(names)}
_LIKELY_TEXT = 20  # characters: the longest value of a row without a known text column must have as many


@dataclass(frozen=True)
class Mapped:
    """A row in our own terms: `values` by field, and how columns were understood where that is not plain."""

    values: dict[str, Any]
    note: str | None = None


def check(columns: Mapping[str, str]) -> None:
    """Raise a ConfigError if `[ingest.columns]` names a field that does not exist."""
    valid = [*NAMES, "id"]
    for field in columns:
        if field not in valid:
            raise ConfigError(f'[ingest.columns]: unknown field "{field}"; valid fields: {", ".join(valid)}')


def take(row: Mapping[str, Any], columns: Mapping[str, str]) -> Mapped:
    """Map a row; `columns` gives our field -> column.

    Raises:
        ReadError: a mapped column is not there, or no column holds the text.
    """
    chosen = _configured(row, columns)
    guessed = _guessed(row, chosen)
    if "text" not in chosen and "text" not in guessed:
        guessed["text"] = _longest(row)
    values = {field: row[name] for field, name in {**guessed, **chosen}.items()}
    told = [f"{name} as {field}" for field, name in sorted(guessed.items()) if plain(name) != NAMES[field][0]]
    return Mapped(values, f"columns guessed: {', '.join(told)}" if told else None)


def meta(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    """Map a row that need not hold the text, e.g. of a manifest; columns that are not there are left out."""
    chosen = {field: name for field, name in columns.items() if name in row}
    fields = {**_guessed(row, chosen), **chosen}
    return {field: row[name] for field, name in fields.items() if field != "text"}


def is_known(name: Any) -> bool:
    """Say whether a value is the usual name of a column."""
    return isinstance(name, str) and plain(name) in _FIELD_OF


def is_text(name: Any) -> bool:
    """Say whether a value is a usual name of the column that holds the text."""
    return isinstance(name, str) and _FIELD_OF.get(plain(name), ("", 0))[0] == "text"


def is_address(value: str) -> bool:
    """Say whether a value is the address of a page and nothing else."""
    return re.match(r"\s*https?://\S*\s*$", value) is not None


def is_date(name: Any) -> bool:
    """Say whether a value is a usual name of the column that holds the date."""
    return isinstance(name, str) and _FIELD_OF.get(plain(name), ("", 0))[0] == "date"


def _configured(row: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    for field, name in columns.items():
        if name not in row:
            raise ReadError(f'no column "{name}" for [ingest.columns] {field}; columns: {", ".join(map(str, row))}')
    return {"source_id" if field == "id" else field: name for field, name in columns.items()}


def _guessed(row: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, str]:
    best: dict[str, tuple[int, str]] = {}
    for name in row:
        field, rank = _FIELD_OF.get(plain(name), (None, 0))
        empty = row[name] is None or row[name] == ""
        if field and field not in chosen and name not in chosen.values():
            best[field] = min(best.get(field, (1000, "")), (rank + 100 * empty, name))
    return {field: name for field, (_, name) in best.items()}


def _longest(row: Mapping[str, Any]) -> str:
    texts = {name: len(value) for name, value in row.items() if isinstance(value, str) and not is_address(value)}
    name = max(texts, key=lambda name: texts[name], default=None)
    if name is None or texts[name] < _LIKELY_TEXT:
        known = ", ".join(map(str, row)) or "none"
        raise ReadError(f"no column holds the text (columns: {known}); name it under [ingest.columns] text")
    return name


@lru_cache(maxsize=10_000)
def plain(name: Any) -> str:
    """Return a column name without case, spaces, hyphens and underscores."""
    return re.sub(r"[\s_\-.:：]", "", str(name)).lower()
