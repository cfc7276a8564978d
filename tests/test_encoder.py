import numpy as np
import pytest

from policytext.errors import ModelError
from policytext.tag.encoder import LONGEST, Encoder
from policytext.tag.second import SecondReading, band, fit

WIDTH, HEADS, LABELS = 8, 2, 2
TOKENS = ("[PAD]", "[MASK]", "[UNK]", "[SEP]", "公开", "数据", "，", "监", "督")


def made(seed: int = 0) -> Encoder:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float16)

    block = {
        "n1_weight": some(WIDTH),
        "n1_bias": some(WIDTH),
        "n2_weight": some(WIDTH),
        "n2_bias": some(WIDTH),
        "qkv_weight": some(WIDTH, 3 * WIDTH),
        "qkv_bias": some(3 * WIDTH),
        "bias": some(HEADS, 65),
        "o_weight": some(WIDTH, WIDTH),
        "o_bias": some(WIDTH),
        "a_weight": some(WIDTH, 16),
        "a_bias": some(16),
        "b_weight": some(16, WIDTH),
        "b_bias": some(WIDTH),
    }
    heads = {f"{name}_weight": some(WIDTH, LABELS) for name in ("att", "val", "mean")}
    heads |= {f"{name}_bias": some(LABELS) for name in ("att", "val", "mean")}
    norms = {"n0_weight": some(WIDTH), "n0_bias": some(WIDTH), "nf_weight": some(WIDTH), "nf_bias": some(WIDTH)}
    table = rng.integers(-127, 127, (len(TOKENS), WIDTH)).astype(np.int8)
    return Encoder(TOKENS, table, np.full(len(TOKENS), 0.01, np.float32), norms, (block, block), heads)


PASSAGES = [("公开", "数据"), ("数据", "，", "公开", "监督", "数据"), (), ("数据",) * 400]


def test_unknown_words_are_read_by_character_and_spaces_not_at_all():
    numbers, spans = made().encode(("公开", " ", "监督", "龘"))
    assert numbers == [4, 7, 8, 2]
    assert spans == [(0, 2), (3, 4), (4, 5), (5, 6)]


def test_long_passages_are_read_to_a_bound():
    assert len(made().encode(("数据",) * 400)[0]) == LONGEST


def test_passages_do_not_change_each_other():
    encoder = made()
    alone = np.concatenate([encoder.logits([one]) for one in PASSAGES])
    assert np.array_equal(encoder.logits(PASSAGES), alone)


def test_the_order_of_words_matters():
    logits = made().logits([("公开", "数据", "，"), ("数据", "公开", "，")])
    assert not np.allclose(logits[0], logits[1])


def test_arrays_bring_the_same_encoder_back():
    again = Encoder.from_arrays(made().arrays())
    assert np.array_equal(again.logits(PASSAGES), made().logits(PASSAGES))


def test_arrays_that_do_not_fit_are_refused():
    arrays = made().arrays()
    with pytest.raises(ModelError, match="do not fit"):
        Encoder.from_arrays(arrays | {"table": arrays["table"][:-1]})


def test_only_passages_in_doubt_are_read_again():
    ones = np.ones(LABELS, np.float32)
    second = SecondReading(made(), ones, ones, 0 * ones, 0.4 * ones, 0.6 * ones)
    first = np.array([[0.5, 0.1], [0.1, 0.9]], np.float32)
    refined = second.refine(np.zeros_like(first), first, PASSAGES[:2])
    assert np.array_equal(refined[1], first[1])
    expected = 1 / (1 + np.exp(-made().logits(PASSAGES[:1])[0]))
    assert np.allclose(refined[0], expected, atol=1e-4)


def test_the_better_reader_is_believed_more():
    rng = np.random.default_rng(3)
    targets = rng.random((400, 1)) < 0.5
    good, poor = (targets * 2 - 1) + rng.normal(size=(400, 1)), (targets * 2 - 1) + 4 * rng.normal(size=(400, 1))
    fitted = fit(made(), poor.astype(np.float32), good.astype(np.float32), targets)
    assert fitted.encoder_weight[0] > 4 * fitted.margin_weight[0]


def test_the_band_holds_nearly_all_turns():
    first = np.linspace(0, 1, 101, dtype=np.float32)[:, None]
    decided = (first > 0.5) | ((first > 0.3) & (np.arange(101)[:, None] % 5 == 0))
    low, high = band(first, decided, 0.02)
    assert 0.3 <= low[0] <= 0.45
    assert 0.45 <= high[0] <= 0.55
