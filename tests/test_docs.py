"""The pages say what the code does: every command and config key is documented, README recipes run."""

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from policytext import cli, config

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(group=None, path=("policytext",)):
    group = group or typer.main.get_command(cli.app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_is_documented_with_an_example(name):
    assert f"`{name}`" in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert COMMANDS[name].help
    assert "Example: " in COMMANDS[name].epilog
    assert "policytext " + name.removeprefix("policytext ") in COMMANDS[name].epilog


def config_keys():
    for room in dataclasses.fields(config.Config):
        if room.default_factory is not dataclasses.MISSING:
            yield from (f"[{room.name}] {key.name}" for key in dataclasses.fields(room.default_factory))


@pytest.mark.parametrize("key", list(config_keys()))
def test_every_config_key_is_documented(key):
    assert f"| `{key}` |" in (ROOT / "docs" / "config.md").read_text(encoding="utf-8")


def test_documented_commands_and_keys_exist():
    commands_page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(policytext [a-z ]+)` \|", commands_page, re.MULTILINE)) == set(COMMANDS)
    config_page = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\[\w+\] \w+)` \|", config_page, re.MULTILINE)) == set(config_keys())


def test_links_lead_somewhere():
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def recipes():
    """Yield (language, code) of the README's blocks but the two that CI runs."""
    rest = re.sub(r"<!-- ci: \w+ -->\n```sh\n.*?```\n", "", README, flags=re.DOTALL)
    return re.findall(r"```(sh|python)\n(.*?)```", rest, re.DOTALL)


def test_readme_recipes_run(tmp_path, texts):
    """In the order of the page, as a reader would type them, in a folder that has what they name."""
    (tmp_path / "path" / "to").mkdir(parents=True)
    texts.rename(tmp_path / "path" / "to" / "documents")
    labels = '{"id": "1", "text": "推进一网通办，让数据多跑路。", "labels": ["stage.informatization"]}\n'
    (tmp_path / "my_labels.jsonl").write_text(labels, encoding="utf-8")
    assert len(recipes()) >= 5
    for language, code in recipes():
        done = subprocess.run(
            command_for(language, code), cwd=tmp_path, capture_output=True, text=True, check=False, env=environment()
        )
        assert done.returncode == 0, code + done.stderr


def command_for(language, code):
    if language == "python":
        return [
            sys.executable,
            "-c",
            code.replace('pt.run(out="results")', 'pt.run(["path/to/documents"], out="results")'),
        ]
    return ["bash", "-euc", code.replace("policytext ", f"{shlex.quote(sys.executable)} -m policytext ")]


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT / "src"), "PYTHONUTF8": "1"}


def test_ci_runs_the_readme_commands():
    done = re.findall(r"<!-- ci: (\w+) -->\n```sh\n(.*?)\n```", README, re.DOTALL)
    assert done == [("main", "pip install . && policytext run"), ("tests", 'pip install ".[test]" && pytest')]


def test_help_shows_every_command():
    text = click.Context(typer.main.get_command(cli.app)).get_help()
    assert all(name.split()[1] in text for name in COMMANDS)
