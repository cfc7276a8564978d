"""Configs: what they accept, where their paths lead, and what a wrong one says."""

from dataclasses import replace

import pytest

from policytext import config
from policytext.config import Config, ConfigError, TagConfig, TrendsConfig, load


def written(folder, text):
    file = folder / "mine.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "text",
    [
        "[trends]\nlevel = 95",
        "[trends]\nlevel = 1.0",
        "[trends]\nlevel = nan",
        '[trends]\nperiod = "week"',
        '[trends]\nby = ["regoin"]',
        "[segment]\nmax_passage_chars = 0",
        "[segment]\nmin_passage_chars = 500",
        "[topics]\nk = 0",
        "[topics]\nmax_share = 25",
        "[topics]\nseed = -1",
        "[run]\nworkers = -2",
        "[run]\nbatch_chars = 0",
        "[report]\npassages_per_label = -1",
        "[ingest]\nmax_file_mb = 0",
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_its_place(tmp_path, text):
    room, key = text.split("\n")
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        load(file)
    assert str(error.value).startswith(f"{file}: {room} {key.partition(' =')[0]} = ")


def test_python_is_checked_as_files_are():
    with pytest.raises(ConfigError, match="valid values: year, quarter, month"):
        replace(TrendsConfig(), period="week")


@pytest.mark.parametrize("text", ["[trends]\nlevel = '0.9'", "[run]\nworkers = true", "[topics]\nseed = 1.5"])
def test_a_value_of_another_type_is_refused(tmp_path, text):
    with pytest.raises(ConfigError, match="is expected, not a"):
        load(written(tmp_path, text))


def test_every_default_is_valid():
    assert load() == replace(load())
    Config(name="x", root=config.data_root())


def test_outside_the_repository_defaults_are_those_of_the_package(tmp_path):
    settings = load(written(tmp_path, '[tag]\nsecond_reading = "all"'))
    assert settings.root == tmp_path.resolve()
    assert settings.resolve(settings.tag.codebook) == config.data_root() / TagConfig.codebook
    assert (settings.resolve(settings.tag.model) / "card.json").is_file()
    assert settings.resolve("mine.txt") == tmp_path.resolve() / "mine.txt"


def test_a_file_of_the_project_goes_before_the_default(tmp_path):
    mine = tmp_path / TagConfig.codebook
    mine.parent.mkdir(parents=True)
    mine.touch()
    assert load(written(tmp_path, "")).resolve(TagConfig.codebook) == mine.resolve()


def test_a_codebook_of_ones_own_has_no_model_until_one_is_named(tmp_path):
    assert load(written(tmp_path, '[tag]\ncodebook = "mine.toml"')).tag.model is None
    assert load(written(tmp_path, '[tag]\ncodebook = "mine.toml"\nmodel = "m"')).tag.model == "m"


def test_a_folder_is_no_config(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)
