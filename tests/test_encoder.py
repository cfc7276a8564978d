import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from policytext.errors import ModelError
from policytext.tag.encoder import LONGEST, Encoder
from policytext.tag.graph import FAR, encoder_graph
from policytext.tag.second import SecondReading, band, fit

WIDTH, INNER, HEADS, LABELS = 32, 48, 2, 2
TOKENS = ("[PAD]", "[MASK]", "[UNK]", "[SEP]", "公开", "数据", "，", "监", "督")


def weights(seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    def linear(name: str, before: int, after: int) -> dict[str, np.ndarray]:
        return {f"{name}_weight": some(before, after) / before**0.5, f"{name}_bias": some(after)}

    def block() -> dict[str, np.ndarray]:
        parts = {f"{name}_{part}": some(WIDTH) for name in ("n1", "n2") for part in ("weight", "bias")}
        parts |= linear("qkv", WIDTH, 3 * WIDTH) | linear("o", WIDTH, WIDTH)
        return parts | linear("a", WIDTH, INNER) | linear("b", INNER, WIDTH) | {"bias": some(HEADS, 2 * FAR + 1)}

    return {
        "vectors": some(len(TOKENS), WIDTH),
        "norms": {f"{name}_{part}": some(WIDTH) for name in ("n0", "nf") for part in ("weight", "bias")},
        "blocks": [block(), block()],
        "heads": linear("att", WIDTH, LABELS) | linear("val", WIDTH, LABELS) | linear("mean", WIDTH, LABELS),
    }


def made(seed: int = 0) -> Encoder:
    return Encoder.made(TOKENS, **weights(seed))


def by_hand(numbers: list[int], w: dict) -> np.ndarray:
    """Return the log-odds that the graph should give, in float64 and as plainly as can be."""

    def linear(x, part, name):
        return x @ part[f"{name}_weight"].astype(float) + part[f"{name}_bias"]

    def norm(x, part, name):
        x = x - x.mean(-1, keepdims=True)
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * part[f"{name}_weight"] + part[f"{name}_bias"]

    def softmax(x, axis):
        x = np.exp(x - x.max(axis, keepdims=True))
        return x / x.sum(axis, keepdims=True)

    x = norm(w["vectors"][numbers].astype(float), w["norms"], "n0")
    place = np.arange(len(numbers))
    distance = np.clip(place[None] - place[:, None], -FAR, FAR) + FAR
    for block in w["blocks"]:
        query, key, value = np.split(linear(norm(x, block, "n1"), block, "qkv"), 3, axis=1)
        met = []
        for head in range(HEADS):
            part = slice(head * WIDTH // HEADS, (head + 1) * WIDTH // HEADS)
            scores = query[:, part] @ key[:, part].T / (WIDTH // HEADS) ** 0.5 + block["bias"][head][distance]
            met.append(softmax(scores, 1) @ value[:, part])
        x = x + linear(np.hstack(met), block, "o")
        wide = linear(norm(x, block, "n2"), block, "a")
        x = x + linear(wide * (1 + np.tanh(0.7978846 * (wide + 0.044715 * wide**3))) / 2, block, "b")
    x = norm(x, w["norms"], "nf")
    attention = softmax(linear(x, w["heads"], "att"), 0)
    return (attention * linear(x, w["heads"], "val")).sum(0) + linear(x.mean(0), w["heads"], "mean")


PASSAGES = [("公开", "数据"), ("数据", "，", "公开", "监督", "数据"), (), ("数据",) * 400]


def test_unknown_words_are_read_by_character_and_spaces_not_at_all():
    numbers, spans = made().encode(("公开", " ", "监督", "龘"))
    assert numbers == [4, 7, 8, 2]
    assert spans == [(0, 2), (3, 4), (4, 5), (5, 6)]


def test_long_passages_are_read_to_a_bound():
    assert len(made().encode(("数据",) * 400)[0]) == LONGEST


def test_the_graph_computes_what_the_weights_say():
    w = weights()
    numbers = [4, 7, 8, 2, 5, 5, 6] * 12
    exact = Encoder(TOKENS, np.frombuffer(encoder_graph(**w, whole=False), np.uint8))
    assert np.allclose(exact.logits([numbers])[0], by_hand(numbers, w), atol=0.02)  # the vectors are in 8 bits
    assert np.allclose(made().logits([numbers])[0], by_hand(numbers, w), atol=0.2)  # products too


def test_what_each_token_adds_comes_to_the_whole():
    reading = made().read(PASSAGES[1])
    spans, gains = reading.by_word
    assert np.allclose(gains.sum(axis=0), reading.logits, atol=1e-5)
    assert spans == [(0, 2), (2, 3), (3, 5), (5, 7), (7, 9)]  # 监督, which is not known, is one word again
    assert len(gains) == 5
    assert [len(part) for part in made().read(()).by_word] == [1, 1]
    assert len(made().read(PASSAGES[3]).by_word[0]) == LONGEST


def test_passages_do_not_change_each_other():
    encoder = made()
    numbers = [encoder.encode(one)[0] for one in PASSAGES]
    together = encoder.logits(numbers)
    assert np.array_equal(together[::-1], encoder.logits(numbers[::-1]))
    assert np.array_equal(together, [encoder.read(one).logits for one in PASSAGES])


def test_the_order_of_words_matters():
    encoder = made()
    one, other = encoder.read(("公开", "数据", "，")), encoder.read(("数据", "公开", "，"))
    assert not np.allclose(one.logits, other.logits)


def test_weights_leave_room_for_processors_that_add_in_16_bits():
    graph = onnx.load_from_string(made().graph.tobytes()).graph
    whole = [
        numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.data_type == onnx.TensorProto.INT8 and tensor.name != "table"
    ]
    assert len(whole) == 8
    assert max(int(np.abs(weight.astype(int)).max()) for weight in whole) <= 64


def test_a_graph_that_names_other_files_is_refused(tmp_path, monkeypatch):
    model = onnx.load_from_string(made().graph.tobytes())
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == "n0_weight")
    (tmp_path / "secret").write_bytes(b"x" * 4 * WIDTH)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="secret")
    monkeypatch.chdir(tmp_path)
    arrays = made().arrays() | {"graph": np.frombuffer(model.SerializeToString(), np.uint8)}
    with pytest.raises(ModelError, match="cannot be loaded"):
        Encoder.from_arrays(arrays)


def test_a_graph_of_another_shape_is_refused():
    model = onnx.load_from_string(made().graph.tobytes())
    del model.graph.output[1]
    arrays = made().arrays() | {"graph": np.frombuffer(model.SerializeToString(), np.uint8)}
    with pytest.raises(ModelError, match="ids, logits, gains"):
        Encoder.from_arrays(arrays)
    second = SecondReading(made(), *(np.ones(LABELS + 1, np.float32) for _ in range(5)))
    with pytest.raises(ModelError, match="labels of the classifier"):
        SecondReading.from_arrays(second.arrays())


def test_arrays_bring_the_same_encoder_back():
    again = Encoder.from_arrays(made().arrays())
    assert all(np.array_equal(again.read(one).logits, made().read(one).logits) for one in PASSAGES)


def test_arrays_that_do_not_fit_are_refused():
    arrays = made().arrays()
    with pytest.raises(ModelError, match="do not fit"):
        Encoder.from_arrays(arrays | {"tokens": arrays["tokens"][:-4]})
    with pytest.raises(ModelError, match="cannot be loaded"):
        Encoder.from_arrays(arrays | {"graph": arrays["graph"][:100]})


def test_only_passages_in_doubt_are_read_again():
    ones = np.ones(LABELS, np.float32)
    second = SecondReading(made(), ones, ones, 0 * ones, 0.4 * ones, 0.6 * ones)
    first = np.array([[0.5, 0.1], [0.1, 0.9]], np.float32)
    refined, readings = second.refine(np.zeros_like(first), first, PASSAGES[:2])
    assert list(readings) == [0]
    assert np.array_equal(refined[1], first[1])
    expected = 1 / (1 + np.exp(-made().read(PASSAGES[0]).logits))
    assert np.allclose(refined[0], expected, atol=1e-4)


def test_the_better_reader_is_believed_more():
    rng = np.random.default_rng(3)
    targets = rng.random((400, 1)) < 0.5
    good, poor = (targets * 2 - 1) + rng.normal(size=(400, 1)), (targets * 2 - 1) + 4 * rng.normal(size=(400, 1))
    fitted = fit(made(), poor.astype(np.float32), good.astype(np.float32), targets)
    assert fitted.encoder_weight[0] > 4 * fitted.margin_weight[0]


def test_the_band_is_where_a_second_reading_pays():
    rng = np.random.default_rng(1)
    first = np.linspace(0, 1, 1001, dtype=np.float32)[:, None]
    targets = rng.random((1001, 1)) < first  # a calibrated first reader
    doubt = (first > 0.3) & (first < 0.7)
    both = np.where(doubt, targets, first).astype(np.float32)  # a second one who knows what the first doubts
    threshold = np.array([0.5], np.float32)
    low, high = band(first, both, targets, threshold, price=0.01)
    assert 0.3 <= low[0] < 0.35
    assert 0.65 < high[0] <= 0.7
    dear = band(first, both, targets, threshold, price=0.5)
    assert low[0] < dear[0][0] < dear[1][0] < high[0]  # the most doubtful ones only
    low, high = band(first, first, targets, threshold, price=0.01)
    assert low[0] > high[0]  # nothing turns, nothing is asked
    rough = np.round(first, 1)
    shuffled = rng.permutation(len(rough))
    one = band(rough, both, targets, threshold, price=0.01)
    other = band(rough[shuffled], both[shuffled], targets[shuffled], threshold, price=0.01)
    assert np.array_equal(one, other)  # equal probabilities are read together, in whatever order they come
