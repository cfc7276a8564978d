import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from policytext.errors import UsageError
from policytext.tag import features
from policytext.tag.features import FeatureConfig

TEXTS = ["推进政务公开，推进数据开放。", "推进一网通办", "政务公开接受监督", "数据 开放\n平台", "", "𠮷野家推进App"]
WORDS = [list(text) for text in TEXTS]
GROUPS = ["a", "b", "c", "d", "e", "f"]


@pytest.fixture(scope="module")
def fitted() -> features.Features:
    return features.fit(TEXTS, WORDS, GROUPS, FeatureConfig(min_groups=2))


def test_words_are_weighed_as_scikit_learn_weighs_them(fitted: features.Features):
    reference = TfidfVectorizer(analyzer=list, vocabulary=list(fitted.words), sublinear_tf=True)
    expected = reference.fit_transform(WORDS).toarray()
    assert np.allclose(fitted.word_rows(WORDS).toarray(), expected, atol=1e-6)


def test_ngrams_are_weighed_as_scikit_learn_weighs_them(fitted: features.Features):
    names = [fitted.name(len(fitted.words) + i) for i in range(len(fitted.ngrams))]
    solid = ["".join(text.split()) for text in TEXTS]
    reference = TfidfVectorizer(
        analyzer="char", ngram_range=(2, 4), vocabulary=names, sublinear_tf=True, lowercase=False
    )
    assert {"政务公开", "数据开放", "推进"} <= set(names)
    assert np.allclose(fitted.ngram_rows(TEXTS).toarray(), reference.fit_transform(solid).toarray(), atol=1e-6)


def test_what_one_document_says_is_not_kept():
    fitted = features.fit(TEXTS[:3], WORDS[:3], ["a", "a", "b"], FeatureConfig(min_groups=2))
    assert "办" not in fitted.words  # the first two texts are one document
    assert "公" in fitted.words


def test_no_ngram_reaches_over_two_passages(fitted: features.Features):
    assert fitted.ngram_rows(["推", "进"]).nnz == 0


def test_rows_do_not_depend_on_their_neighbours(fitted: features.Features):
    together = fitted.matrix(TEXTS, WORDS).toarray()
    alone = np.vstack([fitted.matrix([text], [words]).toarray() for text, words in zip(TEXTS, WORDS, strict=True)])
    assert np.array_equal(together, alone)


def test_arrays_bring_the_same_features_back(fitted: features.Features):
    again = features.Features.from_arrays(fitted.arrays())
    assert again.words == fitted.words
    assert np.array_equal(again.matrix(TEXTS, WORDS).toarray(), fitted.matrix(TEXTS, WORDS).toarray())


def test_lengths_must_agree(fitted: features.Features):
    with pytest.raises(UsageError, match="one list a text"):
        fitted.matrix(TEXTS, WORDS[:1])


@given(st.lists(st.integers(1, 2**64 - 1), unique=True, max_size=300))
def test_the_table_finds_every_key_and_nothing_else(keys: list[int]):
    packed = np.array(sorted(keys), dtype=np.uint64)
    fitted = features.Features((), np.zeros(0, np.float32), packed, np.zeros(len(packed), np.float32))
    asked = np.concatenate([packed, np.array([3, 2**63 + 5], dtype=np.uint64)])
    columns, rows = fitted._find(asked, np.arange(len(asked), dtype=np.int32))
    expected = {i: int(np.searchsorted(packed, key)) for i, key in enumerate(asked) if key in set(keys)}
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == expected


@given(st.text(alphabet="政府数据", min_size=1, max_size=4))
def test_packing_can_be_undone(text: str):
    codes, _ = features.code_points([text])
    ((_, keys),) = features.packed(codes, (len(text),))
    assert features.unpack(int(keys[0])) == text
