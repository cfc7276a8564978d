"""Feed mutated files of every format to the reader: no crash, no hang, counts that add up.

    python benchmarks/ingest_fuzz.py [--files 20000] [--seed 1] [--workers 2] [--limit 20]

Every file is a well-formed one of our own, damaged: bytes flipped, cut, doubled, swapped between formats, wrapped in an
archive, or given another suffix. Batches run in processes of their own, so that a crash of a library would show; a
document that takes longer than `--limit` seconds counts as a hang.
"""

from __future__ import annotations

import argparse
import email.mime.multipart
import email.mime.text
import gzip
import io
import json
import random
import signal
import tempfile
import time
import zipfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import FrameType

from policytext import ingest
from policytext.config import IngestConfig
from policytext.records import Document, Skipped

TITLE = "青山市人民政府办公室关于推进数字政府建设的通知"
NOTICE = f"""{TITLE}
青政办发〔2021〕15号
各区人民政府，市政府各部门：
为推进数字政府建设，提高政务服务效率，经市政府同意，现就有关事项通知如下。
一、加快政务数据共享。各部门要在2021年底前完成系统对接，实现“一网通办”。
二、扩大公共数据开放，接受社会监督。
附件：任务分工表
青山市人民政府办公室
二〇二一年三月五日
抄送：市委办公室。
"""
PAGE = (
    f"<html><head><meta charset=utf-8><title>{TITLE}_青山新闻网</title>"
    '<meta property="article:published_time" content="2021-03-06T08:00:00+08:00">'
    '<script type="application/ld+json">{"headline": "标题", "datePublished": "2021-03-06"}</script></head><body>'
    "<nav><a href=/>首页</a> <a href=/n>新闻</a></nav>"
    f"<h1>{TITLE}</h1><div class=info>2021-03-06 08:00 来源：青山日报 作者：王小明</div><div id=content>"
    + "".join(f"<p>{line}</p>" for line in NOTICE.splitlines()[3:])
    + "</div><ul class=related><li><a href=/1>相关文章一</a></li></ul><footer>版权所有</footer></body></html>"
)
ROWS = [{"id": str(n), "title": TITLE, "date": "2021-03-05", "source": "青山日报", "text": NOTICE} for n in range(4)]
STRAYS = (b"<div>" * 300, b"[" * 3000, b'{"a":' * 2000, b'"', b"\xff\xfe", b"&lol;" * 50, b"<!--")
SUFFIXES = (".txt", ".md", ".html", ".mhtml", ".docx", ".pdf", ".csv", ".xlsx", ".json", ".jsonl.gz", ".zip", ".bin")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--limit", type=int, default=20, help="seconds that one document may take")
    options = parser.parse_args()
    began = time.perf_counter()
    totals: Counter[str] = Counter()
    slowest = (0.0, "")
    batches = [
        (options.seed * 1_000_003 + n, min(250, options.files - n), options.limit) for n in range(0, options.files, 250)
    ]
    with ProcessPoolExecutor(options.workers) as pool:  # a crashed worker raises BrokenProcessPool here
        for counts, slow in pool.map(run_batch, batches):
            totals.update(counts)
            slowest = max(slowest, slow)
    print(f"{totals['files']} mutated files in {time.perf_counter() - began:.0f} s: {totals['units']} units = ", end="")
    print(f"{totals['documents']} documents + {totals['skipped']} skipped; ", end="")
    print(f"{totals['raised']} raised, {totals['hung']} hung, {totals['lost']} files without an answer")
    print(f"slowest file: {slowest[0]:.2f} s ({slowest[1]})")
    ended_well = totals["units"] == totals["documents"] + totals["skipped"]
    if totals["raised"] or totals["hung"] or totals["lost"] or not ended_well:
        raise SystemExit(1)


def run_batch(batch: tuple[int, int, int]) -> tuple[Counter[str], tuple[float, str]]:
    """Write, find and read one batch of mutated files."""
    seed, count, limit = batch
    chance = random.Random(seed)  # noqa: S311
    originals = seeds()
    counts: Counter[str] = Counter()
    slowest = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for n in range(count):
            suffix, data = mutated(originals, chance)
            (Path(folder) / f"{n:05}{suffix}").write_bytes(data)
        sources = ingest.find([Path(folder)])
        counts["lost"] += count - len(sources)
        for source in sources:
            began = time.perf_counter()
            counts.update(read_one(source, limit))
            slowest = max(slowest, (time.perf_counter() - began, f"seed {seed}, {source.label}"))
    return counts, slowest


def read_one(source: ingest.Source, limit: int) -> Counter[str]:
    """Read one file under a time limit; every unit must end as a document or a skip with a reason."""
    counts: Counter[str] = Counter(files=1)
    config = IngestConfig(max_file_mb=16)
    signal.signal(signal.SIGALRM, _expired)
    signal.alarm(limit)
    try:
        for unit in ingest.units(source, config):
            counts["units"] += 1
            signal.alarm(limit)  # for each document anew: a small archive may hold thousands
            found = ingest.read(unit, config) if isinstance(unit, ingest.Unit) else unit
            counts["documents"] += isinstance(found, Document)
            counts["skipped"] += isinstance(found, Skipped) and bool(found.reason)
            if isinstance(found, Document):
                json.dumps(ingest.describe(found), ensure_ascii=False).encode("utf-8")
                assert all(0 <= start <= end <= len(found.original) for _, start, end in found.blocks)
    except HungError:
        counts["hung"] += 1
        print(f"hung: {source.file}")
    except Exception as error:  # noqa: BLE001 - what is looked for
        counts["raised"] += 1
        print(f"raised: {source.label}: {error!r}")
    finally:
        signal.alarm(0)
    counts["lost"] += counts["units"] == 0 and not counts["raised"] and not counts["hung"]
    return counts


class HungError(BaseException):
    """A file took too long; no guard for errors catches it."""


def _expired(_number: int, _frame: FrameType | None) -> None:
    raise HungError


def mutated(originals: dict[str, bytes], chance: random.Random) -> tuple[str, bytes]:
    """Return a suffix and damaged bytes."""
    suffix = chance.choice(list(originals))
    data = bytearray(originals[suffix])
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        damage(data, originals, chance)
    if chance.random() < 0.15:
        suffix = chance.choice(SUFFIXES)
    content = bytes(data)
    if chance.random() < 0.1:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(chance.choice(("a", "../../a", "目录/a")) + suffix, content)
            archive.writestr("b.txt", NOTICE)
        suffix, content = ".zip", buffer.getvalue()
    return suffix, content


def damage(data: bytearray, originals: dict[str, bytes], chance: random.Random) -> None:
    """Damage bytes in place in one of eight ways."""
    at = chance.randrange(len(data) + 1)
    length = chance.choice((1, 4, 16, 64, 400))
    match chance.randrange(8):
        case 0:
            for _ in range(length):
                if data:
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 1:
            del data[at:]
        case 2:
            del data[at : at + length]
        case 3:
            data[at:at] = chance.randbytes(length)
        case 4:
            data[at:at] = data[at : at + length] * chance.choice((2, 50))
        case 5:
            other = originals[chance.choice(list(originals))]
            data[at:at] = other[: chance.randrange(len(other))]
        case 6:
            data[at : at + length] = b"\x00" * length
        case _:
            data[at:at] = chance.choice(
                (b"<div>" * 300, b"[" * 3000, b'{"a":' * 2000, b'"', b"\xff\xfe", b"&lol;" * 50, b"<!--")
            )


def seeds() -> dict[str, bytes]:
    """Return one well-formed file of every format, by suffix."""
    import docx
    import openpyxl
    import pyarrow as pa
    import pyarrow.parquet as pq

    document = docx.Document()
    for line in NOTICE.splitlines():
        document.add_paragraph(line)
    document.add_table(rows=2, cols=2).rows[0].cells[0].text = "单位"
    book = openpyxl.Workbook()
    book.active.append(list(ROWS[0]))
    for row in ROWS:
        book.active.append(list(row.values()))
    message = email.mime.multipart.MIMEMultipart("related")
    message.attach(email.mime.text.MIMEText(PAGE, "html", "utf-8"))
    table = "\n".join(
        ",".join(f'"{value}"' for value in row.values()) for row in [dict(zip(ROWS[0], ROWS[0], strict=True)), *ROWS]
    )
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    found = {
        ".txt": NOTICE.encode(),
        ".text": NOTICE.encode("gb18030"),
        ".md": f"---\ntitle: {TITLE}\ndate: 2021-03-05\n---\n# {TITLE}\n{NOTICE}".encode(),
        ".html": PAGE.encode(),
        ".htm": PAGE.replace("utf-8", "gb2312").encode("gb18030"),
        ".mhtml": message.as_bytes(),
        ".docx": _saved(document.save),
        ".pdf": small_pdf(),
        ".csv": table.encode("utf-8-sig"),
        ".tsv": table.replace('","', '"\t"').encode("utf-16"),
        ".xlsx": _saved(book.save),
        ".json": json.dumps(ROWS, ensure_ascii=False).encode(),
        ".jsonl": lines.encode(),
        ".jsonl.gz": gzip.compress(lines.encode(), mtime=0),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer)
    found[".parquet"] = buffer.getvalue()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for suffix in (".txt", ".html", ".docx", ".jsonl"):
            archive.writestr(f"a{suffix}", found[suffix])
    found[".zip"] = packed.getvalue()
    return found


def _saved(save: object) -> bytes:
    buffer = io.BytesIO()
    save(buffer)  # type: ignore[operator]
    return buffer.getvalue()


def small_pdf() -> bytes:
    """Return a PDF of one page with a text layer, written by hand."""
    text = b"BT /F1 12 Tf 40 700 Td (Notice on digital government, 5 March 2021, all districts.) Tj ET"
    fonts = b"<< /F1 5 0 R >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font %s >> >>" % fonts,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data = b"%PDF-1.4\n"
    places = []
    for n, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (n, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 6\n0000000000 65535 f \n" + table
    return data + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % start


if __name__ == "__main__":
    main()
