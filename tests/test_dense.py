import json
from pathlib import Path

import numpy as np
import pytest

from policytext.errors import ModelError
from policytext.tag.dense import Landmarks, WordVectors, landmarks

VECTORS = WordVectors(
    ("公开", "透明", "粮食"),
    np.array([[100, 0], [50, 50], [0, 100]], np.int8),
    np.full(3, 0.01, np.float32),
    np.array([1.0, 1.0, 0.5], np.float32),
)


def test_the_mean_is_over_known_words_alone():
    means = VECTORS.means([("公开", "的", "透明"), ("粮食",), ("不", "知"), ()])
    assert np.allclose(means, [[0.75, 0.25], [0, 0.5], [0, 0], [0, 0]])


def test_arrays_bring_the_same_vectors_back():
    again = WordVectors.from_arrays(VECTORS.arrays())
    assert again.words == VECTORS.words
    assert np.array_equal(again.means([("公开", "粮食")]), VECTORS.means([("公开", "粮食")]))


def test_altered_vectors_are_refused(tmp_path: Path):
    np.savez(tmp_path / "vectors.npz", **VECTORS.arrays())
    (tmp_path / "card.json").write_text(json.dumps({"arrays_sha256": "0"}), encoding="utf-8")
    with pytest.raises(ModelError, match="differs"):
        WordVectors.load(tmp_path)


def test_the_vectors_of_the_project_know_what_goes_together():
    vectors = WordVectors.load(Path(__file__).parents[1] / "models" / "word_vectors")
    open_, clear, grain = (row / np.linalg.norm(row) for row in vectors.means([("公开",), ("披露",), ("粮食",)]))
    assert open_ @ clear > open_ @ grain + 0.2


def test_similarity_is_one_for_the_same_and_falls_with_distance():
    numbers = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    near = landmarks(numbers, np.ones(3, np.float32), size=50, width=0.6, seed=1)
    compared = near.compare(numbers)
    assert compared.shape == (50, 50)
    assert np.allclose(compared.max(axis=1), 1, atol=1e-3)
    assert (compared >= 0).all()


def test_columns_that_never_vary_have_no_say():
    numbers = np.hstack([np.random.default_rng(0).normal(size=(20, 2)), np.ones((20, 1))]).astype(np.float32)
    near = landmarks(numbers, np.ones(3, np.float32), size=20, width=0.6, seed=1)
    moved = numbers + np.array([0, 0, 9], np.float32)
    assert np.array_equal(near.compare(numbers), near.compare(moved))


def test_without_numbers_everything_is_alike():
    near = landmarks(np.zeros((4, 0), np.float32), np.ones(0, np.float32), size=4, width=0.6, seed=1)
    assert isinstance(near, Landmarks)
    assert np.array_equal(near.compare(np.zeros((2, 0), np.float32)), np.ones((2, 4), np.float32))
