"""One TOML file is one analysis: one frozen dataclass a room, unknown keys are errors that name the nearest valid one.

Paths in the file are relative to the file's own project folder: the folder that holds `configs/`, or else the folder
of the file itself.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from policytext.errors import ConfigError

DEFAULT_NAME = "digital_government.toml"


@dataclass(frozen=True)
class CorpusConfig:
    """`[corpus]`: what is read when no SOURCE is given."""

    path: str = "corpora/digital_government/raw"


@dataclass(frozen=True)
class IngestConfig:
    """`[ingest]`: how files become documents."""

    columns: dict[str, str] = field(default_factory=dict)  # our field -> column or key of tables and JSON lines
    max_file_mb: int = 256  # a larger file that is one document is skipped, with the reason
    max_document_chars: int = 20_000_000
    min_document_chars: int = 2


@dataclass(frozen=True)
class ConvertConfig:
    """`[convert]`: to simplified Chinese."""

    variant: Literal["auto", "none", "t2s", "tw2s", "tw2sp", "tw2sg", "hk2s", "hk2sp", "hk2sg", "twg", "hkg"] = "auto"


@dataclass(frozen=True)
class SegmentConfig:
    """`[segment]`: passages and words."""

    engine: Literal["rjieba", "jieba"] = "rjieba"
    words: str | None = None  # file of domain words, one a line
    codebook_words: bool = True  # take the codebook's terms as words too
    max_passage_chars: int = 400  # longer paragraphs are split at sentences
    min_passage_chars: int = 15  # shorter body paragraphs are marked `short` and carry no label


@dataclass(frozen=True)
class TagConfig:
    """`[tag]`: which labels a passage gets."""

    codebook: str = "configs/codebooks/digital_government.toml"
    model: str | None = "models/digital_government/classifier"  # None: terms alone decide
    second_reading: Literal["doubtful", "all", "none"] = "doubtful"  # which passages the model's encoder reads again
    abstain: bool = False  # leave the band around each threshold undecided
    embeddings: str | None = None  # folder of a sentence-embedding model (ONNX) to train and tag with


@dataclass(frozen=True)
class TopicsConfig:
    """`[topics]`: what the corpus speaks of besides the codebook."""

    k: int = 12
    min_passages: int = 0  # a word in fewer passages of the fitting sample is left out; 0: 1 in 400, from 2 to 20
    max_share: float = 0.25  # a word in a larger share of passages is left out
    fit_passages: int = 20_000  # the model is fitted on at most this many passages, drawn by hash
    seed: int = 20_21


@dataclass(frozen=True)
class TrendsConfig:
    """`[trends]`: shares over time."""

    period: Literal["year", "quarter", "month"] = "year"
    by: tuple[str, ...] = ()
    level: float = 0.95  # of the confidence intervals
    reprints: Literal["once", "outlet", "each"] = "once"  # how often a cluster of near-identical texts counts


@dataclass(frozen=True)
class ReportConfig:
    """`[report]`: the one-file page."""

    title: str = "policytext"
    passages_per_label: int = 5
    max_skipped: int = 200  # rows of the skipped table that the page shows


@dataclass(frozen=True)
class RunConfig:
    """`[run]`: how, not what; no key here changes a result."""

    workers: int = 0  # 0: one per core
    batch_chars: int = 1_000_000  # code points of input that one transaction takes


@dataclass(frozen=True)
class Config:
    """One analysis."""

    name: str
    root: Path  # relative paths start here
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    convert: ConvertConfig = field(default_factory=ConvertConfig)
    segment: SegmentConfig = field(default_factory=SegmentConfig)
    tag: TagConfig = field(default_factory=TagConfig)
    topics: TopicsConfig = field(default_factory=TopicsConfig)
    trends: TrendsConfig = field(default_factory=TrendsConfig)
    report: ReportConfig = field(default_factory=ReportConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def resolve(self, path: str) -> Path:
        """Return a path of the config as an absolute path."""
        return (self.root / path).resolve()

    def as_dict(self) -> dict[str, Any]:
        """Return the sections as plain values, for `run.json`."""
        values = asdict(self)
        values.pop("root")
        return values


def load(path: Path | str | None = None) -> Config:
    """Read a config file.

    With no path: `configs/digital_government.toml` below the working directory if it is there, else the one that
    travels inside the package.

    Raises:
        ConfigError: the file is missing, is no TOML, or has an unknown key or a value of the wrong type.

    >>> load().name
    'digital_government'
    """
    file = Path(path) if path is not None else default_path()
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such config; give an existing file with --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    folder = file.resolve().parent
    root = folder.parent if folder.name == "configs" else folder
    return parse(table, name=file.stem, root=root, where=str(file))


def default_path() -> Path:
    """Return the config that is used when none is named."""
    local = Path("configs") / DEFAULT_NAME
    return local if local.is_file() else data_root() / "configs" / DEFAULT_NAME


def data_root() -> Path:
    """Return the folder that holds `configs/` and `models/`: inside the wheel, or the repository in development."""
    inside = Path(__file__).parent / "_data"
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2]


def parse(table: dict[str, Any], *, name: str, root: Path, where: str) -> Config:
    """Build a Config from parsed TOML; `where` starts every error message."""
    hints = get_type_hints(Config)
    rooms = {f.name: hints[f.name] for f in fields(Config) if f.default_factory is not MISSING}
    table = dict(table)
    name = str(table.pop("name", name))
    _reject_unknown(table, rooms, where)
    sections = {room: _section(rooms[room], values, f"{where}: [{room}]") for room, values in table.items()}
    return Config(name=name, root=root, **sections)


def _section(kind: type, values: object, where: str) -> Any:
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a table, not {values!r}")
    hints = get_type_hints(kind)
    _reject_unknown(values, hints, where)
    return kind(**{key: _value(value, hints[key], f"{where} {key}") for key, value in values.items()})


def _reject_unknown(values: dict[str, Any], valid: dict[str, Any], where: str) -> None:
    for key in values:
        if key not in valid:
            near = difflib.get_close_matches(key, valid, n=1)
            hint = f'did you mean "{near[0]}"? ' if near else ""
            raise ConfigError(f'{where}: unknown key "{key}"; {hint}valid keys: {", ".join(sorted(valid))}')


def _value(value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise ConfigError(f"{where} = {value!r}; valid values: {', '.join(map(str, get_args(kind)))}")
        return value
    if get_origin(kind) is UnionType:
        kind = next(k for k in get_args(kind) if k is not type(None))
        return None if value == "" else _value(value, kind, where)  # TOML has no null
    if get_origin(kind) is tuple:
        return tuple(_value(item, str, where) for item in _typed(value, list, where))
    if get_origin(kind) is dict:
        return {key: _value(item, str, where) for key, item in _typed(value, dict, where).items()}
    if kind is float and type(value) is int:
        return float(value)
    return _typed(value, kind, where)


def _typed(value: Any, kind: type, where: str) -> Any:
    if type(value) is not kind:
        raise ConfigError(f"{where} = {value!r}: a {kind.__name__} is expected, not a {type(value).__name__}")
    return value
