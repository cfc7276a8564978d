"""The templates' environment: everything that comes from outside is escaped."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"

# Control characters, lone surrogates and noncharacters are no part of an HTML text; marks that turn the direction of
# writing could make a quote read differently from what it says.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")


@cache
def environment() -> jinja2.Environment:
    """Return the environment: everything is escaped unless it was made here."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def fill(name: str, **values: Any) -> Markup:
    """Return a template filled in: safe markup, because the environment escaped what went into it."""
    return Markup(environment().get_template(name).render(**values))  # noqa: S704


def asset(name: str) -> Markup:
    """Return a style or script of our own as it is."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704


def _clean(value: Any) -> Any:
    """Show what no page can show as U+FFFD; applied to everything that a template prints."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return _UNPRINTABLE.sub("\ufffd", value)
    return value
