"""The dictionaries are found through the distribution's metadata and corrected by the overlays."""

from importlib import metadata

import pytest

from policytext import dictionaries
from policytext.errors import ModelError


@pytest.fixture
def fresh():
    dictionaries.load.cache_clear()
    yield
    dictionaries.load.cache_clear()


def test_overlay_corrects_the_base():
    assert dictionaries.load("TSCharacters")["擡"] == "抬"
    assert "凶事" not in dictionaries.load("TWVariantsRevPhrases")
    assert dictionaries.load("TWPhrasesRev")["機率"] == "概率"


def test_overlays_bring_dictionaries_that_the_base_has_not():
    assert dictionaries.load("TWWords")["資訊"] == "信息"
    assert dictionaries.load("HKPhrasesRev")["硬碟"] == "硬盤"


def test_compatibility_ideographs_stand_for_unified_ones():
    pairs = dictionaries.compatibility_ideographs()
    assert pairs["\uf9e9"] == "里"
    assert all(len(value) == 1 and value not in pairs for value in pairs.values())


@pytest.mark.usefixtures("fresh")
def test_a_missing_file_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(metadata, "files", lambda _: [])
    with pytest.raises(ModelError, match=r"TSPhrases\.txt is missing.*pip install --force-reinstall"):
        dictionaries.load("TSPhrases")


@pytest.mark.usefixtures("fresh")
def test_a_missing_distribution_is_named_with_the_remedy(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", absent)
    with pytest.raises(ModelError, match="pip install opencc-python-reimplemented"):
        dictionaries.load("TSPhrases")


def test_words_of_public_affairs_have_simplified_values():
    characters = dictionaries.load("TSCharacters")
    kept = set("着后里台干")  # characters of both scripts
    for name in ("TWWords", "HKWords"):
        for key, value in dictionaries.load(name).items():
            odd = [mark for mark in value if characters.get(mark, mark) != mark and mark not in kept]
            assert not odd, f"{name}: {key} -> {value}"
