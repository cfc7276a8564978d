"""The dictionaries that conversion rests on: OpenCC's word pairs as installed, with an overlay of corrections.

The base comes from the files of the distribution opencc-python-reimplemented. They are found through its metadata and
never by `import opencc`, because another distribution installs a package of that name over it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from policytext.errors import ModelError

DISTRIBUTION = "opencc-python-reimplemented"
OVERLAYS = ("convert_overlay.tsv", "regional_words.tsv")
_NOT_IN_BASE = frozenset({"HKPhrasesRev", "TWWords", "HKWords"})  # dictionaries that the overlays bring whole


@cache
def load(name: str) -> dict[str, str]:
    """Return one dictionary, corrected: key -> first value.

    Raises:
        ModelError: the distribution or its file is missing; the message says how to mend it.
    """
    pairs = {} if name in _NOT_IN_BASE else _read_base(name)
    for key, value in _overlay().get(name, {}).items():
        if value:
            pairs[key] = value
        else:
            pairs.pop(key, None)
    return pairs


@cache
def alternatives(name: str) -> dict[str, tuple[str, ...]]:
    """Return the keys of a base dictionary that have several values, with all of them, the usual one first."""
    rows = (line.split("\t") for line in _base_file(name).read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {key: tuple(values.split(" ")) for key, values in rows if " " in values}


@cache
def compatibility_ideographs() -> dict[str, str]:
    """Return Unicode's CJK compatibility ideographs -> the unified ones they stand for (canonical equivalence)."""
    blocks = (range(0xF900, 0xFB00), range(0x2F800, 0x2FA20))
    pairs = {chr(code): unicodedata.normalize("NFC", chr(code)) for block in blocks for code in block}
    return {key: value for key, value in pairs.items() if key != value and len(value) == 1}


# Radicals of CJK Radicals Supplement that PDF programs write for the character; Unicode gives them no equivalent.
_SUPPLEMENT = dict(
    zip(
        "⺁⺇⺌⺎⺕⺖⺟⺠⺡⺢⺣⺦⺩⺬⺭⺮⺯⺰⺲⺳⺶⺷⺹⺼⻃⻄⻅⻆⻈⻉⻋⻌⻎⻐⻑⻒⻓⻔⻗⻘⻙⻚⻛⻜⻝⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻬⻮⻰⻲⻳",
        "厂几小兀彐忄母民氵水灬丬王示礻竹糸纟网网羊羊耂肉西西见角讠贝车辶辶钅長镸长门雨青韦页风飞食饣首马骨鬼鱼鸟卤麦黄黾齐齿龙龟龟",
        strict=True,
    )
)


@cache
def radicals() -> dict[str, str]:
    """Return radicals that text layers of PDF files hold -> the characters that they look like."""
    kangxi = {chr(code): unicodedata.normalize("NFKC", chr(code)) for code in range(0x2F00, 0x2FD6)}
    return kangxi | _SUPPLEMENT


@cache
def _radical_table() -> tuple[re.Pattern[str], dict[int, str]]:
    marks = radicals()
    return re.compile("[\u2e80-\u2fd5]"), {ord(mark): value for mark, value in marks.items()}


def plain(text: str) -> str:
    """Return a text of the same length with characters in the place of radicals."""
    pattern, table = _radical_table()
    return text.translate(table) if pattern.search(text) else text


def _read_base(name: str) -> dict[str, str]:
    rows = (line.split("\t") for line in _base_file(name).read_text(encoding="utf-8").splitlines() if "\t" in line)
    return {key: values.split(" ")[0] for key, values in rows}


def _base_file(name: str) -> Path:
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        raise ModelError(f"{DISTRIBUTION} is not installed; run: pip install {DISTRIBUTION}") from None
    for file in files:
        if file.name == f"{name}.txt" and file.parent.name == "dictionary":
            path = Path(str(file.locate()))
            if path.is_file():
                return path
    raise ModelError(
        f"{DISTRIBUTION}: its file {name}.txt is missing, perhaps overwritten by another package named opencc; "
        f"run: pip install --force-reinstall --no-deps {DISTRIBUTION}"
    )


@cache
def _overlay() -> dict[str, dict[str, str]]:
    """Return dictionary -> key -> value; an empty value removes the key."""
    folder = resources.files("policytext").joinpath("data")
    text = "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in OVERLAYS)
    tables: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, key, value = line.split("\t")[:3]
            tables.setdefault(name, {})[key] = value
    return tables
