"""Every mistake in a codebook file, as a sentence that says where it is and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

from policytext.codebook.notation import steps

_LABEL_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_GROUP_ID = re.compile(r"[a-z][a-z0-9_]*")

# The most frequent characters that only traditional text has: a term with one of them never matches converted text.
_TRADITIONAL = frozenset(
    "為資個發時開數與關過業來網後區據務動應機學內進經當實選問並兩創間體電說長眾設將記權報統計論題專訊無則處檢認參醫萬係調場聞門構點強規項辦見該舉條傳劃協單灣討戶變預結濟總視約監決麼證護隱標樣請審詢營達鄭稱"
    "職責價華話讓術質訴續獲碼種導轉環園絡顯較節師億驗戰觀備連線類爭須車書極習帶圖錄優給頭態領錢試幣遠維適層財範卻負終慮積隊讀險諮講風頁訪採準訂輸繼釋擔覺遊絕製紀測興級擊羅冊腦緊購親龍歷聲圍貨黃氣療階換雖減"
    "願郵顧隨佔輕粵兒額礎細簡邊買劉載鏈寫違課盡銀滿貿塊補尋競樂納壓筆撥樓擇裝聽勵歲閱幫庫鍵歐編熱針爾語偉稅複裡銅餘揮擬貼畫覽虛獎雙凱觸憲彈賣衛訟傷軟謂詞訓輪嗎養騙楊籌簽壇蓋帳紅誰啟復攝儲臨飛堅戲彙診綜陸溝"
    "閉勞辯嘗暫蘋廠頻藝藥匯洩異佈衝銷紐島剛脅鐘勝順陣貴賺瀏畢惡讚趨館罰綠鎮藍礙亂舊潛榮鎖寬劇殺賽歡驚貧憂謝殘禮奪敵棄聖蹤龐擾齡慣嗰鏡濫輿練寶奧豐齊飲賓遞騰盜劍繫徵漸籲刪橋災謀績緒獻廳窮絲橫雲幹踐併憑牽夢遲"
    "聶偵輯疇輝頓懲徑牆轄諾純撐濾緩盤飯喪遙蘇擺潔縱鍾詐辭紛駁紹麗託儀臉軌儘贏頗輛淚謹曉媽峯豬掛綱債恆襲傑聰縮輔檻僱誘闊倫諸搶駕頃廈陰徹蓮繞鬆譚貸趕糧壟慶跡樞廢欄搖驅賦靈頂揚娛搵盧燈醜夥溫淨嶼嚇毀脈顛賞寧驊"
)
_KEYS = {
    "codebook": {
        *("id", "version", "title", "title_en", "rules", "rules_en", "variants"),
        *("dimension", "label", "group", "relation", "flag"),
    },
    "dimension": {"id", "name", "name_en", "decided_by"},
    "label": {
        *("id", "name", "name_en", "definition", "definition_en", "not_when", "not_when_en"),
        *("terms", "excluded", "pattern", "examples"),
    },
    "example": {"text", "applies", "why"},
    "pattern": {"anchors", "tokens", "note"},
    "group": {"id", "about", "label", "against", "terms", "excluded"},
    "relation": {"id", "about", "label", "against", "within", "all", "not"},
    "flag": {"id", "about", "starts"},
}
_REQUIRED = {
    "codebook": ("id", "version", "title", "dimension", "label"),
    "dimension": ("id", "name"),
    "label": ("id", "name", "definition"),
    "example": ("text", "applies"),
    "pattern": ("anchors", "tokens"),
    "group": ("id", "terms"),
    "relation": ("id", "all"),
    "flag": ("id", "starts"),
}
_TABLES = ("dimension", "label", "group", "relation", "flag")


def problems_of(table: dict[str, Any]) -> list[str]:
    """Return every problem of a parsed codebook; an empty list means it is valid."""
    problems = _key_problems("codebook", table, "the file")
    for kind in _TABLES:
        rows = table.get(kind, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return [*problems, f"{kind}s are tables: write each under [[{kind}]]"]
        problems += [
            f'{kind} "{twice}" is defined twice; remove one' for twice in _twice(row.get("id") for row in rows)
        ]
        problems += [p for row in rows for p in _key_problems(kind, row, f'{kind} "{row.get("id", "?")}"')]
    for row in table.get("dimension", []):
        if row.get("decided_by", "terms") not in ("classifier", "terms"):
            problems.append(f'dimension "{row.get("id", "?")}": decided_by must be "classifier" or "terms"')
    problems += _variant_problems(table.get("variants", []))
    dimensions = {row.get("id") for row in table.get("dimension", [])}
    groups = {row.get("id"): row for row in table.get("group", [])}
    problems += [p for row in table.get("label", []) for p in _label_problems(row, dimensions, groups)]
    return [*problems, *_layer_problems(table)]


def _variant_problems(variants: Any) -> list[str]:
    if not isinstance(variants, list) or not all(
        isinstance(words, list) and all(isinstance(word, str) and word for word in words) for words in variants
    ):
        return ['variants must be a list of lists of words, such as [["信息", "资讯"], ["网络", "网路"]]']
    twice = _twice(word for words in variants for word in words)
    return [f'variants hold "{word}" twice; a word belongs to one list' for word in twice]


def _label_problems(row: dict[str, Any], dimensions: set[Any], groups: dict[Any, Any]) -> list[str]:
    where = f'label "{row.get("id", "?")}"'
    problems = []
    label_id = str(row.get("id", ""))
    if not _LABEL_ID.fullmatch(label_id):
        problems.append(f'{where}: the id must read "dimension.name" in lower-case Latin letters')
    elif label_id.partition(".")[0] not in dimensions:
        problems.append(f'{where}: there is no dimension "{label_id.partition(".")[0]}"; add a [[dimension]] for it')
    problems += _term_problems(row, where) or _step_problems(row.get("terms", []), groups, where, gaps=True)
    for kind, key in (("example", "examples"), ("pattern", "pattern")):
        for part in row.get(key, []):
            problems += _key_problems(kind, part, f"{where}: one of its {key.rstrip('s')}s")
    problems += [
        f"{where}: a pattern needs anchors, a list of strings, and tokens, a list of tables"
        for part in row.get("pattern", [])
        if not _is_list(part.get("anchors"), str) or not _is_list(part.get("tokens"), dict)
    ]
    return problems


def _term_problems(row: dict[str, Any], where: str) -> list[str]:
    """Problems of the lists `terms` and `excluded`, which labels and groups share."""
    problems = []
    for key, noun in (("terms", "term"), ("excluded", "context")):
        values = row.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            return [f"{where}: {key} must be a list of non-empty strings"]
        problems += [f'{where} lists the {noun} "{twice}" twice; remove one' for twice in _twice(values)]
        problems += [
            f'{where}: the {noun} "{value}" has traditional characters; texts are matched in simplified ones'
            for value in values
            if not _TRADITIONAL.isdisjoint(value)
        ]
    plain = {name for term in row.get("terms", []) for step in steps(term) for name in step.terms}
    problems += [
        f'{where}: the excluded context "{context}" holds none of its terms, so it excludes nothing; remove it'
        for context in row.get("excluded", [])
        if not any(term in context for term in plain)
    ]
    return problems


def _layer_problems(table: dict[str, Any]) -> list[str]:
    """Problems of groups, relations and flags."""
    labels = {row.get("id") for row in table.get("label", [])}
    groups = {row.get("id"): row for row in table.get("group", [])}
    problems = []
    for kind in ("group", "relation", "flag"):
        for row in table.get(kind, []):
            where = f'{kind} "{row.get("id", "?")}"'
            if not _GROUP_ID.fullmatch(str(row.get("id", ""))):
                problems.append(f"{where}: the id must be one word in lower-case Latin letters, digits and _")
            problems += [
                f'{where}: {key} = "{row[key]}" is no label of this codebook{_nearest(row[key], labels)}'
                for key in ("label", "against")
                if key in row and row[key] not in labels
            ]
    for row in groups.values():
        where = f'group "{row.get("id", "?")}"'
        problems += _term_problems(row, where) or _step_problems(row.get("terms", []), groups, where, gaps=True)
    for row in table.get("relation", []):
        problems += _relation_problems(row, groups)
    for row in table.get("flag", []):
        try:
            re.compile(str(row.get("starts", "")))
        except re.error as error:
            problems.append(f'flag "{row.get("id", "?")}": starts is no regular expression: {error}')
    return problems


def _relation_problems(row: dict[str, Any], groups: dict[Any, Any]) -> list[str]:
    where = f'relation "{row.get("id", "?")}"'
    problems = []
    if row.get("within", "clause") not in ("clause", "sentence", "passage"):
        problems.append(f'{where}: within must be "clause", "sentence" or "passage"')
    for key in ("all", "not"):
        parts = row.get(key, [])
        if not isinstance(parts, list) or not all(isinstance(part, str) and part.strip() for part in parts):
            return [*problems, f"{where}: {key} must be a list of non-empty strings"]
        problems += _step_problems(parts, groups, where, gaps=False)
    return problems


def _step_problems(terms: list[str], groups: dict[Any, Any], where: str, *, gaps: bool) -> list[str]:
    problems = []
    for term in terms:
        parts = steps(term)
        if any(not name for step in parts for name in (*step.terms, *step.groups)):
            problems.append(f'{where}: "{term}" has an empty part; check its | and ..')
        if len(parts) > 1 and not gaps:
            problems.append(f'{where}: "{term}" has a gap; put it into a group and name that as @group')
        for name in {name for step in parts for name in step.groups}:
            if name not in groups:
                problems.append(
                    f'{where}: "{term}" names the group "{name}", which does not exist{_nearest(name, groups)}'
                )
            elif gaps and any("@" in t or len(steps(t)) > 1 for t in groups[name].get("terms", [])):
                problems.append(
                    f'{where}: "{term}" names the group "{name}", which has gap terms itself; only plain groups nest'
                )
    return problems


def _key_problems(kind: str, row: dict[str, Any], where: str) -> list[str]:
    problems = []
    for key in row:
        if key not in _KEYS[kind]:
            near = difflib.get_close_matches(key, _KEYS[kind], n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"valid keys: {', '.join(sorted(_KEYS[kind]))}"
            problems.append(f'{where}: unknown key "{key}"; {hint}')
    problems += [
        f'{where}: "{key}" is missing; add it'
        for key in _REQUIRED[kind]
        if not row.get(key) and row.get(key) is not False
    ]
    return problems


def _is_list(values: object, kind: type) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(value, kind) for value in values)


def _nearest(name: object, valid: Iterable[Any]) -> str:
    near = difflib.get_close_matches(str(name), [str(v) for v in valid], n=1, cutoff=0.3)
    return f'; did you mean "{near[0]}"?' if near else ""


def _twice(values: Any) -> list[Any]:
    seen: set[Any] = set()
    return [value for value in values if value in seen or seen.add(value)]  # type: ignore[func-returns-value]
