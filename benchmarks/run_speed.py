"""`policytext run` against the obvious script on the same texts: seconds, memory, ratio.

    python benchmarks/run_speed.py [--corpora ../shared/corpora] [--sample N] [--labelled ../shared/gold/train.jsonl]

The obvious script gets every N-th document (its time a character does not depend on how many there are; the whole
would take minutes); `policytext run` gets both the same sample and everything. The ratio is of characters a second,
policytext with everything it does (store, topics, report), the script's fitting not counted. The script runs before
and after, because machines grow faster and slower within minutes.
"""

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def sample(corpora: list[Path], every: int, folder: Path) -> list[Path]:
    """Write every N-th document of each corpus to `folder`."""
    written = []
    for corpus in corpora:
        path = folder / corpus.name.removesuffix(".gz")
        with gzip.open(corpus, "rt", encoding="utf-8") as lines, path.open("w", encoding="utf-8") as out:
            out.writelines(line for i, line in enumerate(lines) if i % every == 0)
        written.append(path)
    return written


def characters(paths: list[Path]) -> int:
    total = 0
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            total += sum(len(json.loads(line)["text"]) for line in lines)
    return total


def timed(command: list[str]) -> tuple[float, float, str]:
    """Run a command: seconds, peak memory of its largest process in GiB, its output."""
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return time.perf_counter() - started, peak, done.stdout


def obvious_speed(script: list[str]) -> float:
    """Run the obvious script and return its million characters a second."""
    found = json.loads(timed(script)[2])
    print(f"obvious script, sample: {found}")
    return float(found["million_characters_per_second"])


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--labelled", type=Path, default=Path("../shared/gold/train.jsonl"))
    parser.add_argument("--sample", type=int, default=20, help="take every N-th document")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    whole = sorted(asked.corpora.glob("*.jsonl.gz"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        part = sample(whole, asked.sample, folder)
        script = [sys.executable, str(HERE / "obvious.py"), str(asked.labelled), *map(str, part)]
        obvious = [obvious_speed(script)]
        for title, paths in (("sample", part), ("whole", whole)):
            command = [
                sys.executable,
                "-m",
                "policytext",
                "run",
                *map(str, paths),
                "--out",
                str(folder / title),
                "--json",
            ]
            seconds, peak, out = timed(command)
            size = characters(paths)
            speed = size / seconds / 1e6
            print(
                f"policytext run, {title}: {size:,} characters, {seconds:.1f} s, {speed:.3f} M/s, peak {peak:.2f} GiB"
            )
            print(f"  counts: {json.loads(out.splitlines()[-1])['totals']}")
        obvious.append(obvious_speed(script))
        print(
            "ratio of the whole to the script before and after: " + ", ".join(f"{speed / one:.1f}" for one in obvious)
        )


if __name__ == "__main__":
    main()
