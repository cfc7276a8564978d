"""Which analysis a store belongs to: the config and the codebook that its passages were judged with.

A store answers with its own config unless another is named, and never with a codebook that its tags do not follow: a
label that was not asked for would show up as one that occurs nowhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from policytext.codebook import Codebook
from policytext.codebook import load as load_codebook
from policytext.config import Config, data_root, parse
from policytext.config import load as load_config
from policytext.errors import ConfigError, UsageError
from policytext.store import Store


def remember(store: Store, config: Config, codebook: Codebook, instrument: str) -> None:
    """Note in the store what all its passages are judged with, those that it has and those to come."""
    values = {name: _plain(value) for name, value in config.as_dict().items()}
    own = config.root == data_root()  # the package's own config: elsewhere tomorrow
    about = {"file": _file(config), "root": None if own else str(config.root), "values": values}
    book = {"id": codebook.id, "version": codebook.version, "sha256": codebook.sha256(), "instrument": instrument}
    for key, value in (("config", about), ("codebook", book)):
        text = json.dumps(value, ensure_ascii=False)
        if store.get(key) != text:
            store.put(key, text)


def _plain(value: Any) -> Any:
    """Return a section as TOML would have it, which knows no null."""
    if not isinstance(value, dict):
        return value
    return {key: "" if item is None else item for key, item in value.items()}


def _file(config: Config) -> str | None:
    """Return the file of a config, if it is one and says just this."""
    if config.file is None:
        return None
    try:
        return str(config.file) if load_config(config.file) == config else None
    except ConfigError:
        return None


def config_of(store: Store | None, given: Config | Path | str | None = None) -> Config:
    """Return the config to answer with: the given one, else the store's own, from its file if that is still there.

    Where there is no store yet, or it remembers none, it is the default one.

    Raises:
        ConfigError: a config file is missing or wrong.
    """
    if isinstance(given, Config):
        return given
    saved = None if store is None or given is not None else store.get("config")
    if store is None or saved is None:
        return load_config(given)
    about = json.loads(saved)
    if about["file"] and Path(about["file"]).is_file():
        return load_config(about["file"])
    root = data_root() if about["root"] is None else Path(about["root"])
    return parse(about["values"], name=about["values"]["name"], root=root, where=f"the config kept in {store.path}")


def codebook_of(store: Store, config: Config) -> Codebook:
    """Return the config's codebook.

    Raises:
        CodebookError: it is missing or wrong.
        UsageError: the store's passages were judged with another, or not yet all with this one.
    """
    place = config.resolve(config.tag.codebook)
    if not place.exists():
        raise UsageError(
            f"{place}: the codebook that the config ({config.file or f'kept in {store.path}'}) names is not there; "
            "restore it, or name a config with --config"
        )
    codebook = load_codebook(place)
    book = json.loads(store.get("codebook") or "{}")
    if book and book["sha256"] != codebook.sha256():
        same = book["id"] == codebook.id
        other = "was edited since" if same else f'is not "{codebook.id}" {codebook.version}, which the config names'
        again = f"`policytext run --config {config.file}`" if config.file else "`policytext run`"
        raise UsageError(
            f'{store.path}: its passages were judged with codebook "{book["id"]}" {book["version"]}, which {other}; '
            f"{again} judges them anew" + ("" if same else ", without --config the store's own is used")
        )
    if book and store.instruments().keys() - {book["instrument"]}:
        raise UsageError(
            f"{store.path}: a run was cut off while it judged documents anew; `policytext run` finishes it"
        )
    return codebook
