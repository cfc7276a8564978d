"""From a folder of Chinese policy documents to a trend figure that survives peer review.

>>> import policytext as pt
>>> pt.simplify("推進一網通辦")
'推进一网通办'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from policytext.api import (
        PolicyTextError,
        evaluate_labels,
        export_tables,
        kwic,
        load_codebook,
        load_config,
        open_store,
        read,
        run,
        simplify,
        split,
        tag_texts,
        train_classifier,
        trend,
        write_report,
    )

__all__ = [
    "PolicyTextError",
    "evaluate_labels",
    "export_tables",
    "kwic",
    "load_codebook",
    "load_config",
    "open_store",
    "read",
    "run",
    "simplify",
    "split",
    "tag_texts",
    "train_classifier",
    "trend",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used: `import policytext` stays light."""
    if name in __all__:
        return getattr(import_module("policytext.api"), name)
    raise AttributeError(f"module 'policytext' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
