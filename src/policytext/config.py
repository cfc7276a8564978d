"""One TOML file is one analysis: one frozen dataclass a room, unknown keys are errors that name the nearest valid one.

Paths in the file are relative to the file's own project folder: the folder that holds `configs/`, or else the folder
of the file itself.
"""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from policytext.errors import ConfigError

DEFAULT_WORDS = "configs/words.txt"  # of the default config
DEFAULT_NAME = "digital_government.toml"
GROUPS = ("author", "outlet", "issuer", "level", "region", "genre", "script", "title")  # fields to group trends by


def _within(default: float, low: float, high: float | None = None) -> Any:
    """Return a field whose value lies between `low` and `high`, both included."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Section:
    """A table of the file. What makes no sense is refused here, so in Python as in a file."""

    def __post_init__(self) -> None:
        """Check every value.

        Raises:
            ConfigError: a value is none of the valid ones, or out of range.

        >>> TrendsConfig(level=95)
        Traceback (most recent call last):
            ...
        policytext.errors.ConfigError: [trends] level = 95: out of range; give a number from 0.01 to 0.9999
        """
        hints = get_type_hints(type(self))
        room = type(self).__name__.removesuffix("Config").lower()
        for key in fields(self):
            problem = _problem(getattr(self, key.name), hints[key.name], **key.metadata)
            if problem:
                raise ConfigError(f"[{room}] {key.name} = {getattr(self, key.name)!r}: {problem}")


def _problem(
    value: Any, kind: Any, *, low: float = 0, high: float | None = None, choices: tuple[str, ...] = ()
) -> str | None:
    if get_origin(kind) is Literal and value not in get_args(kind):
        return f"valid values: {', '.join(map(str, get_args(kind)))}"
    if choices and not set(value) <= set(choices):
        return f"valid values: {', '.join(choices)}"
    if isinstance(value, int | float) and not isinstance(value, bool) and not low <= value <= (high or value):
        return f"out of range; give a number {f'from {low} to {high}' if high else f'of {low} or more'}"
    return None


@dataclass(frozen=True)
class CorpusConfig(Section):
    """`[corpus]`: what is read when no SOURCE is given."""

    path: str = "corpora/digital_government/raw"


@dataclass(frozen=True)
class IngestConfig(Section):
    """`[ingest]`: how files become documents."""

    columns: dict[str, str] = field(default_factory=dict)  # our field -> column or key of tables and JSON lines
    max_file_mb: int = _within(256, 1)  # a larger file that is one document is skipped, with the reason
    max_document_chars: int = _within(20_000_000, 1)
    min_document_chars: int = _within(2, 1)
    page_date: Literal["published", "signed"] = "published"  # which counts where a web page shows both


@dataclass(frozen=True)
class ConvertConfig(Section):
    """`[convert]`: to simplified Chinese."""

    variant: Literal["auto", "none", "t2s", "tw2s", "tw2sp", "tw2sg", "hk2s", "hk2sp", "hk2sg", "twg", "hkg"] = "auto"


@dataclass(frozen=True)
class SegmentConfig(Section):
    """`[segment]`: passages and words."""

    engine: Literal["rjieba", "jieba"] = "rjieba"
    words: str | None = None  # file of domain words, one a line
    codebook_words: bool = True  # take the codebook's terms as words too
    max_passage_chars: int = _within(400, 20)  # longer paragraphs are split at sentences
    min_passage_chars: int = _within(15, 0)  # shorter body paragraphs are marked `short` and carry no label

    def __post_init__(self) -> None:
        """Check every value, and that not all passages are too short.

        Raises:
            ConfigError: a value is out of range.
        """
        super().__post_init__()
        if self.min_passage_chars > self.max_passage_chars:
            raise ConfigError(
                f"[segment] min_passage_chars = {self.min_passage_chars} is more than max_passage_chars = "
                f"{self.max_passage_chars}: no passage would carry a label"
            )


@dataclass(frozen=True)
class TagConfig(Section):
    """`[tag]`: which labels a passage gets."""

    codebook: str = "configs/codebooks/digital_government.toml"
    model: str | None = "models/digital_government/classifier"  # None: terms alone decide
    second_reading: Literal["doubtful", "all", "none"] = "doubtful"  # which passages the model's encoder reads again
    abstain: bool = False  # leave the band around each threshold undecided
    embeddings: str | None = None  # folder of a sentence-embedding model (ONNX) to train and tag with


@dataclass(frozen=True)
class TopicsConfig(Section):
    """`[topics]`: what the corpus speaks of besides the codebook."""

    k: int = _within(12, 1)
    min_passages: int = 0  # a word in fewer passages of the fitting sample is left out; 0: 1 in 400, from 2 to 20
    max_share: float = _within(0.25, 0.0001, 1)  # a word in a larger share of passages is left out
    fit_passages: int = _within(20_000, 1)  # the model is fitted on at most this many passages, drawn by hash
    seed: int = _within(2021, 0, 2**32 - 1)


@dataclass(frozen=True)
class TrendsConfig(Section):
    """`[trends]`: shares over time."""

    period: Literal["year", "quarter", "month"] = "year"
    by: tuple[str, ...] = field(default=(), metadata={"choices": GROUPS})
    level: float = _within(0.95, 0.01, 0.9999)  # of the confidence intervals
    reprints: Literal["once", "outlet", "each"] = "once"  # how often a cluster of near-identical texts counts


@dataclass(frozen=True)
class ReportConfig(Section):
    """`[report]`: the one-file page."""

    title: str = "policytext"
    passages_per_label: int = 5
    max_skipped: int = 200  # rows of the skipped table that the page shows


@dataclass(frozen=True)
class RunConfig(Section):
    """`[run]`: how, not what; no key here changes a result.

    Sums of other batches round otherwise: of 10,000 stored probabilities some 8 differ by 0.0001.
    """

    workers: int = 0  # 0: one per core
    batch_chars: int = _within(1_000_000, 1)  # code points of input that one transaction takes


@dataclass(frozen=True)
class Config:
    """One analysis."""

    name: str
    root: Path  # relative paths start here
    file: Path | None = None  # where it was read, absolute
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
        """Return a path of the config as an absolute path; a default that the project lacks is policytext's own."""
        here = (self.root / path).resolve()
        if path in (TagConfig.codebook, TagConfig.model, DEFAULT_WORDS) and not here.exists():
            return (data_root() / path).resolve()
        return here

    def as_dict(self) -> dict[str, Any]:
        """Return the sections as plain values, for `run.json`."""
        values = asdict(self)
        return {key: value for key, value in values.items() if key not in ("root", "file")}


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
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}; give a TOML file with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    place = file.resolve()
    folder = place.parent
    root = folder.parent if folder.name == "configs" else folder
    return replace(parse(table, name=file.stem, root=root, where=str(file)), file=place)


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
    sections = {room: _section(rooms[room], values, where, room) for room, values in table.items()}
    return Config(name=name, root=root, **sections)


def _section(kind: type, values: object, file: str, room: str) -> Any:
    where = f"{file}: [{room}]"
    if not isinstance(values, dict):
        raise ConfigError(f"{where} must be a table, not {values!r}")
    hints = get_type_hints(kind)
    _reject_unknown(values, hints, where)
    typed = {key: _value(value, hints[key], f"{where} {key}") for key, value in values.items()}
    if kind is TagConfig and typed.get("codebook", kind.codebook) != kind.codebook:
        typed.setdefault("model", None)  # the default classifier knows the default codebook only
    try:
        return kind(**typed)
    except ConfigError as error:
        raise ConfigError(f"{file}: {error}") from None


def _reject_unknown(values: dict[str, Any], valid: dict[str, Any], where: str) -> None:
    for key in values:
        if key not in valid:
            near = difflib.get_close_matches(key, valid, n=1)
            hint = f'did you mean "{near[0]}"? ' if near else ""
            raise ConfigError(f'{where}: unknown key "{key}"; {hint}valid keys: {", ".join(sorted(valid))}')


def _value(value: Any, kind: Any, where: str) -> Any:
    if get_origin(kind) is Literal:
        return value  # the section checks it
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
