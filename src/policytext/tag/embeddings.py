"""Sentence embeddings from a model that lies in a folder of the user's: never downloaded, never required.

The folder is what sentence-transformers and Hugging Face call an ONNX export: `tokenizer.json`, and `model.onnx` beside
it or in `onnx/`; `1_Pooling/config.json`, if it is there, says how token vectors become one. Needs the extra
`embeddings` (tokenizers); with `[tag] embeddings` set, a classifier is trained on the vectors too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from policytext.errors import ModelError
from policytext.tag.features import Floats
from policytext.tag.sessions import open_session

LONGEST = 512  # tokens read of a passage, the bound of most encoders
BATCH = 32  # passages


class Embedder:
    """A sentence-embedding model, ready to turn texts into vectors of length one."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._model = next(
            (path for name in ("model.onnx", "onnx/model.onnx") if (path := self.folder / name).is_file()), None
        )
        if self._model is None or not (self.folder / "tokenizer.json").is_file():
            raise ModelError(
                f"{self.folder}: no sentence-embedding model; tokenizer.json and model.onnx (or onnx/model.onnx) are "
                "expected; export one to ONNX, or leave [tag] embeddings out"
            )
        self._session, self._tokenizer = _load(self._model, self.folder / "tokenizer.json")

    @cached_property
    def sha256(self) -> str:
        """Hash of the model and its tokenizer: a classifier works only with the ones that it was trained with."""
        digest = hashlib.sha256()
        for path in (self._model, self.folder / "tokenizer.json"):
            digest.update(hashlib.sha256(path.read_bytes()).digest() if path else b"")
        return digest.hexdigest()

    @cached_property
    def _first_token(self) -> bool:
        path = self.folder / "1_Pooling" / "config.json"
        return path.is_file() and bool(json.loads(path.read_text(encoding="utf-8")).get("pooling_mode_cls_token"))

    def vectors(self, texts: Sequence[str]) -> Floats:
        """Return one vector of length one a text, float32 [texts x dimensions]."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        parts: dict[int, Floats] = {}
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            parts |= dict(zip(rows, self._batch([texts[i] for i in rows]), strict=True))
        if not parts:
            return np.zeros((0, self._batch(["。"]).shape[1]), np.float32)
        return np.stack([parts[i] for i in range(len(texts))]).astype(np.float32)

    def _batch(self, texts: list[str]) -> Floats:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([one.attention_mask for one in encoded], np.int64)
        given = {
            "input_ids": np.array([one.ids for one in encoded], np.int64),
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(mask),
        }
        asked = {node.name: given[node.name] for node in self._session.get_inputs() if node.name in given}
        found = np.asarray(self._session.run(None, asked)[0], np.float32)
        if found.ndim == 3:
            weight = mask[:, :, None].astype(np.float32)
            pooled = (found * weight).sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
            found = found[:, 0] if self._first_token else pooled
        vectors: Floats = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
        return vectors


def _load(model: Path, tokenizer: Path) -> tuple[Any, Any]:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ModelError(
            f"{error.name} is not installed, and [tag] embeddings needs it: pip install 'policytext[embeddings]'"
        ) from None
    try:
        session = open_session(model)
        words = Tokenizer.from_file(str(tokenizer))
    except Exception as error:
        raise ModelError(f"{model.parent}: the sentence-embedding model cannot be read: {error}") from error
    words.enable_truncation(LONGEST)
    words.enable_padding()
    return session, words
