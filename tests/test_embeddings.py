import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from policytext.codebook import Codebook, Dimension, Label
from policytext.config import TagConfig
from policytext.errors import ModelError
from policytext.tag import Classifier, Embedder, Tagger, TrainConfig, TrainingSet, train

MARKS = ("公", "开", "数", "据", "粮", "食")


def make_model(folder: Path, *, pooled: bool = False) -> Path:
    """Write a tiny model in which each character has a vector, laid out as sentence-transformers exports one."""
    onnx = pytest.importorskip("onnx", reason="needs onnx, of the extra `test`")
    tokenizers = pytest.importorskip("tokenizers", reason="needs tokenizers, of the extra `embeddings`")
    names = {"[PAD]": 0, "[UNK]": 1} | {mark: i for i, mark in enumerate(MARKS, start=2)}
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(names, unk_token="[UNK]"))  # noqa: S106
    words.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex("."), "isolated")
    words.save(str(folder / "tokenizer.json"))
    table = np.array([[0, 0], [1, 1], [1, 0], [1, 0], [1, 0], [1, 0], [0, 1], [0, 1]], np.float32)
    helper, kinds = onnx.helper, onnx.TensorProto
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"], axis=0)]
    given = [helper.make_tensor_value_info("input_ids", kinds.INT64, ["batch", "tokens"])]
    given.append(helper.make_tensor_value_info("attention_mask", kinds.INT64, ["batch", "tokens"]))
    made = [helper.make_tensor_value_info("last_hidden_state", kinds.FLOAT, ["batch", "tokens", 2])]
    graph = helper.make_graph(nodes, "tiny", given, made, [onnx.numpy_helper.from_array(table, "table")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    if pooled:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    return folder


def test_a_vector_is_the_mean_over_tokens_of_length_one(tmp_path: Path):
    vectors = Embedder(make_model(tmp_path)).vectors(["公开数据", "粮食", "公粮"])
    assert np.allclose(vectors, [[1, 0], [0, 1], [0.5**0.5, 0.5**0.5]], atol=1e-6)


def test_the_first_token_speaks_where_the_model_says_so(tmp_path: Path):
    assert np.allclose(Embedder(make_model(tmp_path, pooled=True)).vectors(["粮公公公"]), [[0, 1]])


def test_texts_of_a_batch_do_not_change_each_other(tmp_path: Path):
    embedder = Embedder(make_model(tmp_path))
    texts = ["公开" * i + "粮食" for i in range(70)]
    assert np.allclose(embedder.vectors(texts), [embedder.vectors([text])[0] for text in texts], atol=1e-6)
    assert embedder.vectors([]).shape == (0, 2)


def test_a_folder_without_a_model_says_what_is_expected(tmp_path: Path):
    with pytest.raises(ModelError, match=r"tokenizer\.json and model\.onnx"):
        Embedder(tmp_path)


def test_a_broken_model_is_an_error_of_ours(tmp_path: Path):
    make_model(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match="cannot be read"):
        Embedder(tmp_path)


def made(embedder: Embedder) -> tuple[TrainingSet, Classifier]:
    texts = tuple(("数据公开" if i % 2 else "粮食") + "，。"[i % 3 % 2] for i in range(60))
    data = TrainingSet(
        labels=("stage.open",),
        texts=texts,
        words=tuple(() for _ in texts),
        targets=np.array([[i % 2 == 1] for i in range(60)]),
        groups=tuple(f"doc{i % 12}" for i in range(60)),
        embedded=embedder.vectors(texts),
    )
    card = {"embeddings": {"sha256": embedder.sha256}}
    return data, train(data, TrainConfig(vectors="", curve=()), card=card)


def test_a_classifier_trained_with_embeddings_needs_the_same_ones(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    embedder = Embedder(make_model(tmp_path / "a"))
    data, fitted = made(embedder)
    found = fitted.judge(data.texts, data.words, None, embedder.vectors).probabilities
    assert ((found >= fitted.threshold) == data.targets).all()
    with pytest.raises(ModelError, match=r"\[tag\] embeddings"):
        fitted.judge(data.texts, data.words)
    label = Label("stage.open", "开放", "open", "", "")
    codebook = Codebook("c", "1", "c", "c", (Dimension("stage", "阶段", "stage", decided_by="classifier"),), (label,))
    Tagger(codebook, fitted, TagConfig(), embedder)
    other = make_model(tmp_path / "b", pooled=True)
    (other / "tokenizer.json").write_text((other / "tokenizer.json").read_text() + "\n")
    with pytest.raises(ModelError, match="train again"):
        Tagger(codebook, fitted, TagConfig(), Embedder(other))
    with pytest.raises(ModelError, match="not set"):
        Tagger(codebook, replace(fitted), TagConfig())
