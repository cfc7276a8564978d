"""The command line: argument parsing, progress bars and messages; every command is a thin call of the library.

stdout carries results, stderr progress and messages. Exit status: 0 done, 1 failed, 2 wrong usage or config, 3 done
but more inputs were skipped than `--max-skipped` allows.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from policytext.errors import CodebookError, ConfigError, PolicyTextError, UsageError

if TYPE_CHECKING:
    import pandas as pd

    from policytext.config import Config
    from policytext.records import Listener
    from policytext.store import Store

app = typer.Typer(
    help="From a folder of Chinese policy documents to a trend figure that survives peer review.",
    epilog="Start with: policytext run SOURCE --out DIR",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
codebook_app = typer.Typer(help="Check a codebook, or start one's own.", no_args_is_help=True, rich_markup_mode=None)
topics_app = typer.Typer(help="Topic models over the store.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(codebook_app, name="codebook")
app.add_typer(topics_app, name="topics")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Analysis to use: a TOML file.")]
StoreOption = Annotated[Path, typer.Option("--out", help="Folder of an earlier `policytext run`.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, last on stdout.")]
InputArgument = Annotated[Path, typer.Argument(help="A file, or - for standard input.")]
DEFAULT_OUT = Path("policytext-out")


class Period(StrEnum):
    """Lengths of time."""

    year = "year"
    quarter = "quarter"
    month = "month"


class By(StrEnum):
    """Rows of the table of coverage."""

    label = "label"
    term = "term"


class FileFormat(StrEnum):
    """Formats of exported tables."""

    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"
    dta = "dta"


class Regional(StrEnum):
    """The kind of Chinese that comes in."""

    auto = "auto"
    t = "t"
    tw = "tw"
    twp = "twp"
    twg = "twg"
    hk = "hk"
    hkp = "hkp"
    hkg = "hkg"


VARIANTS = {
    "auto": "auto",
    "t": "t2s",
    "tw": "tw2s",
    "twp": "tw2sp",
    "hk": "hk2s",
    "hkp": "hk2sp",
    "twg": "tw2sg",
    "hkg": "hk2sg",
}


def main() -> None:
    """Run the command line and exit with its status."""
    logging.basicConfig(level=os.environ.get("POLICYTEXT_LOG", "ERROR"), format="%(name)s: %(message)s")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        app(standalone_mode=True)
    except (ConfigError, CodebookError, UsageError) as error:
        _fail(error, 2)
    except PolicyTextError as error:
        _fail(error, 1)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # a place that cannot be written, a full disk
        where = f"{error.filename}: " if error.filename else ""
        _fail(PolicyTextError(f"{where}{error.strerror or error}; check the place and its permissions"), 1)


def _fail(error: Exception, status: int) -> None:
    _say(f"policytext: {error}")
    sys.exit(status)


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _emit(row: dict[str, Any]) -> None:
    line = json.dumps(row, ensure_ascii=False)
    try:
        print(line)
    except UnicodeEncodeError:  # a lone surrogate in an id
        print(json.dumps(row))


def _print_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        print(f"policytext {version('policytext')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(epilog="Example: policytext run reports/ --out results --workers 2")
def run(
    source: Annotated[list[Path] | None, typer.Argument(help="Files and folders; none: the config's corpus.")] = None,
    config: ConfigOption = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the store, trends.csv, report.html, run.json.")
    ] = DEFAULT_OUT,
    workers: Annotated[int, typer.Option(help="Processes; 0: as many as the work and the machine ask for.", min=0)] = 0,
    max_skipped: Annotated[int | None, typer.Option(help="Exit with 3 if more inputs were skipped.", min=0)] = None,
    as_json: JsonOption = False,
) -> None:
    """Take everything new in SOURCE through all rooms into a folder; again on the same folder: only what is new."""
    from policytext import pipeline

    with _progress() as listen:
        done = pipeline.run(source, config=config, out=out, workers=workers or None, listen=listen)
    _summarise(done)
    if as_json:
        _emit(done.as_dict())
    if max_skipped is not None and done.totals["skipped"] > max_skipped:
        _say(f"{done.totals['skipped']} inputs are skipped, more than --max-skipped {max_skipped} allows")
        sys.exit(3)


def _summarise(done: Any) -> None:
    counts, totals = done.counts, done.totals
    for note in done.notes:
        _say(f"note: {note}")
    if done.nothing_new:
        _say(f"Nothing to do: all {counts['files_unchanged']} files are in {done.out} already, unchanged.")
        return
    _say(
        f"read {counts['read']} = stored {counts['stored']} + duplicates {counts['duplicates']} "
        f"+ skipped {counts['skipped']} ({done.seconds} s)"
    )
    _say(f"in all {totals['documents']} documents, {totals['passages']} passages, {totals['skipped']} skipped")
    for row in done.skipped[:10]:
        _say(f"  skipped {row.path}: {row.reason}")
    if len(done.skipped) > 10:
        _say(f"  ... {len(done.skipped) - 10} more in report.html and in the store's table `skipped`")
    _say(f"Wrote {done.out / 'report.html'}, trends.csv, run.json, policytext.duckdb")


@contextmanager
def _progress() -> Iterator[Listener]:
    """Show a progress bar on a terminal, nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def listen(progress: Any) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=max(1, progress.total))
            done = progress.done if progress.total else 1
            bars.update(tasks[progress.stage], completed=done)

        yield listen


@app.command(epilog="""Example: echo '{"id": 1, "text": "推進一網通辦"}' | policytext tag""")
def tag(file: InputArgument = Path("-"), config: ConfigOption = None) -> None:
    """Tag each line (JSONL with id and text, or plain text) as one passage; JSONL out, in order."""
    from policytext import lines

    settings = _config(config)
    for note in lines.remarks(settings):
        _say(f"note: {note}")
    with _input(file) as stream:
        _emit_all(lines.tag(stream, settings))


@app.command(epilog="Example: echo 資料庫與軟體 | policytext convert --from twp")
def convert(
    file: InputArgument = Path("-"),
    from_: Annotated[
        Regional,
        typer.Option(
            "--from", help="auto: found for each line; ..p with regional words, ..g with those of public affairs."
        ),
    ] = Regional.auto,
    alignment: Annotated[bool, typer.Option("--alignment", help="JSONL with the edits where lengths differ.")] = False,
) -> None:
    """Convert to simplified Chinese, line by line."""
    from policytext import lines

    with _input(file) as stream:
        plain = ({"text": line.rstrip("\r\n")} for line in stream)
        rows = lines.simplify((json.dumps(row) for row in plain), variant=VARIANTS[from_.value], alignment=alignment)
        for row in rows:
            if alignment:
                _emit(row)
            else:
                print(row["text"])


@app.command(epilog="Example: policytext ingest notice.docx page.html")
def ingest(
    file: Annotated[list[Path], typer.Argument(help="Files and folders.")],
    config: ConfigOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be read and skipped.")] = False,
    max_skipped: Annotated[int | None, typer.Option(help="Exit with 3 if more inputs were skipped.", min=0)] = None,
) -> None:
    """Show what is read from files: metadata, where it comes from, and the original text, as JSONL."""
    from policytext import lines

    settings = _config(config)
    read = skipped = 0
    for row in lines.read(file, settings):
        read += 1
        if "skipped" in row:
            skipped += 1
            _say(f"skipped {row['path']}: {row['skipped']}")
        if not dry_run:
            _emit(row)
    _say(f"read {read} = documents {read - skipped} + skipped {skipped}")
    if max_skipped is not None and skipped > max_skipped:
        sys.exit(3)


@app.command(epilog="Example: policytext segment speech.txt")
def segment(file: InputArgument = Path("-"), config: ConfigOption = None) -> None:
    """Split a text into passages and words, as JSONL."""
    from policytext import lines

    settings = _config(config)
    with _input(file) as stream:
        _emit_all(lines.split(stream.read(), settings))


@app.command(epilog="Example: policytext train --labels my_labels.jsonl --config configs/mine.toml")
def train(
    labels: Annotated[list[Path], typer.Option("--labels", help="JSONL with id, doc, text, labels; or references.")],
    model: Annotated[
        Path | None, typer.Option("--model", help="Folder to write the classifier to. Default: the config's.")
    ] = None,
    config: ConfigOption = None,
    shared: Annotated[Path | None, typer.Option(help="Folder where referenced texts lie.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit a classifier for the config's codebook from labels by hand."""
    from policytext import learning

    settings = _config(config)
    folder = model or (settings.resolve(settings.tag.model) if settings.tag.model else None)
    if folder is None:
        raise UsageError("the config names no [tag] model; say where to write the classifier with --model DIR")
    card = learning.train(labels, settings, folder, shared=shared)
    _say(f"Wrote {folder}")
    if as_json:
        _emit(card)
    else:
        print(learning.card_table(card))


@app.command(epilog="Example: policytext evaluate --labels dev.jsonl --json")
def evaluate(
    labels: Annotated[list[Path], typer.Option("--labels", help="JSONL with id, doc, text, labels; or references.")],
    config: ConfigOption = None,
    shared: Annotated[Path | None, typer.Option(help="Folder where referenced texts lie.")] = None,
    readings: Annotated[bool, typer.Option(help="Also: which tags hang on an ambiguous conversion.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Score the tagger against labels by hand: per label, with intervals."""
    from policytext import learning

    settings = _config(config)
    scores = learning.evaluate_labels(labels, settings, shared=shared)
    hanging = asdict(learning.dependence(labels, settings, shared=shared)) if readings else None
    if as_json:
        _emit(scores.as_dict() | ({"readings": hanging} if hanging else {}))
        return
    print(scores.as_table())
    if hanging:
        print(json.dumps(hanging, ensure_ascii=False, indent=2))


@app.command(epilog="Example: policytext trends --by region --period year --out results > trends.csv")
def trends(
    out: StoreOption = DEFAULT_OUT,
    by: Annotated[str, typer.Option(help="Fields to group by, with commas: issuer,region ...")] = "",
    period: Annotated[Period | None, typer.Option(help="Default: as in the config.")] = None,
    sensitivity: Annotated[
        bool, typer.Option(help="Beside it the shares that other segmenters would give; slow.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print shares over time with intervals, as CSV."""
    from dataclasses import replace

    from policytext import robustness, views
    from policytext.analysis import config_of

    fields = tuple(dict.fromkeys(name.strip() for name in by.split(",") if name.strip()))
    with _store(out) as store:
        settings = config_of(store, config)
        asked = replace(
            settings.trends, by=fields or settings.trends.by, period=(period or Period(settings.trends.period)).value
        )
        settings = replace(settings, trends=asked)
        table = robustness.sensitivity(store, settings) if sensitivity else views.trends(store, settings)
    _print_table(table, as_json)


@app.command(epilog="Example: policytext kwic 赋权 --out results --width 20")
def kwic(
    term: Annotated[str, typer.Argument(help="A term.")],
    out: StoreOption = DEFAULT_OUT,
    width: Annotated[int, typer.Option(help="Characters on each side.", min=1)] = 20,
    limit: Annotated[int, typer.Option(help="At most so many lines; 0: all.", min=0)] = 0,
    as_json: JsonOption = False,
) -> None:
    """Print a term with its context on both sides (concordance)."""
    from policytext import views

    with _store(out) as store:
        table = views.kwic(store, term, width=width)
    total = len(table)
    if not total and ("|" in term or ".." in term):
        _say("note: a term is sought as it stands; what a codebook's `..` and `|` find: codebook coverage --by term")
    if (sought := table.attrs["sought"]) != term:
        _say(f"note: sought as {sought}, because texts are searched in simplified characters")
    table = table.head(limit) if limit else table
    if as_json:
        _print_table(table, True)
        return
    for row in table.fillna("").to_dict("records"):
        context = f"{row['left']:\u3000>{width}}【{row['term']}】{row['right']:\u3000<{width}}"
        print(f"{context}  {row['date']}  {row['title'] or row['path']}")
    _say(f"{total} occurrences" + (f", {len(table)} shown" if len(table) < total else ""))


@app.command(epilog="Example: policytext keyness region=TW --out results --limit 30")
def keyness(
    where: Annotated[str, typer.Argument(help="field=value: region=TW, date=2015..2019, label=stage.open ...")],
    out: StoreOption = DEFAULT_OUT,
    limit: Annotated[int, typer.Option(help="At most so many words; 0: all.", min=0)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Print the words that mark one part of the corpus against the rest."""
    from policytext import views

    with _store(out) as store:
        table = views.keyness(store, where)
    if unknown := table.attrs["unknown"]:
        _say(f"note: {unknown} documents are on neither side, because they do not say what {where} asks for")
    _print_table(table.head(limit) if limit else table, as_json)


@app.command(name="report", epilog="Example: policytext report --out results")
def report_(out: StoreOption = DEFAULT_OUT, config: ConfigOption = None) -> None:
    """Write report.html of a store anew."""
    from policytext import views
    from policytext.analysis import config_of

    with _store(out) as store:
        print(views.write_report(store, config_of(store, config), out / "report.html"))


@app.command(epilog="Example: policytext export --out results --format xlsx --to tables.xlsx")
def export(
    to: Annotated[Path, typer.Option("--to", help="Folder (csv, parquet, dta) or file (xlsx) to write.")],
    out: StoreOption = DEFAULT_OUT,
    format_: Annotated[
        FileFormat | None, typer.Option("--format", help="Kind of file; none: xlsx for a file .xlsx, else csv.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write the store's tables as files for other tools."""
    from policytext import views
    from policytext.analysis import config_of

    kind = format_ or (FileFormat.xlsx if to.suffix.lower() == ".xlsx" else FileFormat.csv)
    with _store(out) as store:
        for path in views.export(store, config_of(store, config), to, kind.value):
            print(path)


@codebook_app.command("check", epilog="Example: policytext codebook check my_codebook.toml")
def codebook_check(file: Annotated[Path, typer.Argument(help="A codebook: a TOML file.")]) -> None:
    """List every problem of a codebook."""
    from policytext import codebook, tag

    problems = codebook.check(file) or tag.TokenPatterns(codebook.load(file)).problems()
    for problem in problems:
        print(f"{file}: {problem}")
    if problems:
        sys.exit(2)
    book = codebook.load(file)
    terms = sum(len(label.terms) for label in book.labels)
    print(f"{file}: valid; {len(book.dimensions)} dimensions, {len(book.labels)} labels, {terms} terms")


@codebook_app.command("new", epilog="Example: policytext codebook new carbon.toml")
def codebook_new(file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]) -> None:
    """Write a commented codebook to start one's own from."""
    from policytext import codebook

    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(codebook.template())
    except FileExistsError:
        raise UsageError(f"{file}: exists already; name another file") from None
    print(file)


@codebook_app.command("coverage", epilog="Example: policytext codebook coverage --out results")
def codebook_coverage(
    out: StoreOption = DEFAULT_OUT,
    config: ConfigOption = None,
    by: Annotated[By, typer.Option(help="One row a label, or one a term.")] = By.label,
    as_json: JsonOption = False,
) -> None:
    """Print what the codebook's terms alone find in a store: coverage, overlaps, conflicts."""
    from policytext import views
    from policytext.analysis import config_of

    with _store(out) as store:
        _print_table(views.coverage(store, config_of(store, config), by=by.value), as_json)


@topics_app.command("fit", epilog="Example: policytext topics fit --out results --k 20")
def topics_fit(
    out: StoreOption = DEFAULT_OUT,
    k: Annotated[int, typer.Option(help="Number of topics; 0: as in the config.", min=0)] = 0,
    config: ConfigOption = None,
) -> None:
    """Fit topics anew on the passages that the store holds now; topic numbers change."""
    from policytext import outputs, views
    from policytext.analysis import config_of

    with _store(out, write=True) as store:
        outputs.refit_topics(store, config_of(store, config).topics, out, k=k)
        _print_table(views.show_topics(store), False)


@topics_app.command("show", epilog="Example: policytext topics show --out results")
def topics_show(out: StoreOption = DEFAULT_OUT, as_json: JsonOption = False) -> None:
    """Print each topic's words and its share of passages."""
    from policytext import views

    with _store(out) as store:
        _print_table(views.show_topics(store), as_json)


def _config(path: Path | None) -> Config:
    from policytext.config import load

    return load(path)


@contextmanager
def _store(out: Path, *, write: bool = False) -> Iterator[Store]:
    from policytext.store import NAME, Store

    file = out / NAME if out.is_dir() or not out.suffix else out
    with Store.open(file, create=False, read_only=not write) as store:
        yield store


@contextmanager
def _input(file: Path) -> Iterator[TextIO]:
    """Open a file or standard input as UTF-8 text."""
    name = "standard input" if str(file) == "-" else str(file)
    try:
        stream = _stdin() if str(file) == "-" else file.open(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
    with stream:
        try:
            yield stream
        except UnicodeDecodeError as error:
            advice = "save it as UTF-8, or use `policytext ingest FILE`, which finds the encoding"
            raise UsageError(f"{name}: not UTF-8 ({error.reason}); {advice}") from error


def _stdin() -> TextIO:
    sys.stdin.reconfigure(encoding="utf-8-sig", errors="strict")  # type: ignore[union-attr]
    return sys.stdin


def _emit_all(rows: Iterable[dict[str, Any]]) -> None:
    failed = 0
    for row in rows:
        failed += "error" in row
        _emit(row)
    if failed:
        _say(f'{failed} lines could not be used; each says why under "error"')
        sys.exit(3)


def _print_table(table: pd.DataFrame, as_json: bool) -> None:
    if as_json:
        _emit({"rows": json.loads(table.to_json(orient="records", force_ascii=False, double_precision=15))})
    else:
        from policytext.report.export import guarded

        print(guarded(table).to_csv(index=False), end="")
