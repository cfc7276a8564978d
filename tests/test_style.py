"""The tools that hold the house style pass: ruff, its formatter, mypy strict."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMMANDS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_tool_passes(command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if "No module named" in done.stderr:
        pytest.skip(f'{command[0]} is not installed; pip install ".[test]"')
    assert done.returncode == 0, done.stdout + done.stderr
