"""Imports go only down, rooms do not know each other, and each library lives where docs/architecture.md says."""

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "policytext"
ROOMS = ("ingest", "convert", "segment", "tag", "topics", "aggregate", "evaluate", "report")
LAYERS = {
    **dict.fromkeys(("errors", "arrays"), 0),
    **dict.fromkeys(("records", "intervals", "labels", "dictionaries"), 1),
    **dict.fromkeys(("codebook", "config"), 2),
    "store": 3,
    **dict.fromkeys(ROOMS, 4),
    **dict.fromkeys(("analysis", "engine"), 5),
    **dict.fromkeys(("plan", "views", "lines"), 6),
    **dict.fromkeys(("outputs", "robustness"), 7),
    **dict.fromkeys(("pipeline", "learning"), 8),
    **dict.fromkeys(("api", "cli"), 9),
    **dict.fromkeys(("__init__", "__main__"), 10),
}
# Where each third-party library may be imported; a library that is not here is not a dependency.
HOMES = {
    "charset_normalizer": {"ingest"},
    "docx": {"ingest"},
    "duckdb": {"store"},
    "gensim": {"topics"},
    "jieba": {"segment"},
    "jinja2": {"report"},
    "lxml": {"ingest"},
    "markupsafe": {"report"},
    "onnx": {"tag"},
    "onnxruntime": {"tag"},
    "openpyxl": {"ingest"},
    "pypdfium2": {"ingest"},
    "rich": {"cli"},
    "rjieba": {"segment"},
    "sklearn": {"tag", "topics"},
    "spacy": {"tag"},
    "threadpoolctl": {"engine", "topics"},
    "tokenizers": {"tag"},
    "trafilatura": {"ingest"},
    "typer": {"cli"},
    "xlsxwriter": {"report"},
    "numpy": None,  # arrays and tables are common ground
    "pandas": None,
    "pyarrow": None,
    "scipy": None,
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def imports(path):
    """Yield the dotted name of everything a module imports, `from a import b` as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_down(path):
    here = room_of(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "policytext" or len(parts) < 2 or parts[1] not in LAYERS:
            continue
        there = parts[1]
        assert there == here or LAYERS[there] < LAYERS[here], f"{here} imports {there}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_libraries_stay_in_their_rooms(path):
    for name in imports(path):
        top = name.split(".")[0]
        if top == "policytext" or top in sys.stdlib_module_names:
            continue
        assert top in HOMES, f"{path}: {top} has no home in this test; say in docs/architecture.md why it is needed"
        assert HOMES[top] is None or room_of(path) in HOMES[top], f"{path} imports {top}"


def test_opencc_is_never_imported():
    assert not [path for path in MODULES for name in imports(path) if name.split(".")[0] == "opencc"]


def test_every_module_has_a_layer():
    assert {room_of(path) for path in MODULES} <= LAYERS.keys()


def test_only_the_command_line_prints_and_exits():
    for path in MODULES:
        if room_of(path) == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("print", "sys.exit", "exit"), f"{path}:{node.lineno} calls {name}"


def test_no_pickle():
    for path in MODULES:
        for name in imports(path):
            assert name.split(".")[0] not in ("pickle", "joblib", "dill", "shelve"), path


def test_dependencies_are_explained():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").lower()
    dependencies = re.search(
        r"dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.DOTALL
    )
    for name in re.findall(r'"([A-Za-z0-9_.-]+)[>=<]', dependencies.group(1)):
        assert name.lower() in page, f"{name}: say in docs/architecture.md why it is needed"
