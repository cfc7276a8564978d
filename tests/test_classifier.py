import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from policytext.errors import LabelError, ModelError
from policytext.tag import Classifier, TrainConfig, TrainingSet, Unlabelled, copies, train
from policytext.tag.judging import abstain_bands, best_thresholds, calibration_error, score_card
from policytext.tag.train import assign_folds

TOPICS = ("降低碳排放强度", "发展学前教育", "完善养老服务", "扩大对外开放")


def made_up(n: int = 120) -> TrainingSet:
    """Passages of another field: `energy.carbon` follows from its word, `energy.price` from a count."""
    texts = [f"第{i}条 {TOPICS[i % 4]}，推进第{i % 5}项工作。" for i in range(n)]
    price = np.array([i % 3 == 0 for i in range(n)])
    targets = np.stack([np.array([i % 4 == 0 for i in range(n)]), price], axis=1)
    patterns = np.stack([price * 2.0, np.ones(n)], axis=1).astype(np.float32)
    groups = tuple(f"doc{i % 30}" for i in range(n))
    words = tuple(tuple(text) for text in texts)
    return TrainingSet(
        ("energy.carbon", "energy.price"), tuple(texts), words, targets, groups, patterns, ("group.price", "size")
    )


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    return made_up()


@pytest.fixture(scope="module")
def fitted(data: TrainingSet) -> Classifier:
    return train(data, TrainConfig(vectors="", pattern_relief=3.0), card={"labelled_by": "a test"})


def probabilities(classifier: Classifier, data: TrainingSet) -> np.ndarray:
    rows = dict(zip(data.texts, data.patterns, strict=True))

    def count(texts: list[str]) -> np.ndarray:
        return np.array([rows[text] for text in texts])

    return classifier.judge(data.texts, data.words, count).probabilities


def test_any_codebook_is_learnt_from_its_labels(data: TrainingSet, fitted: Classifier):
    assert np.array_equal(fitted.decisions(probabilities(fitted, data)).astype(bool), data.targets)
    assert fitted.card["cross_validation"]["macro_f1"] > 0.95


def test_the_card_says_what_it_was_learnt_from(data: TrainingSet, fitted: Classifier):
    assert fitted.card["labelled_by"] == "a test"
    assert fitted.card["data_sha256"] == data.sha256()
    assert fitted.card["positives"] == {"energy.carbon": 30, "energy.price": 40}
    assert set(fitted.card["thresholds"]) == set(fitted.labels)


def test_a_saved_model_decides_the_same(tmp_path: Path, data: TrainingSet, fitted: Classifier):
    fitted.save(tmp_path)
    again = Classifier.load(tmp_path)
    assert np.array_equal(probabilities(again, data), probabilities(fitted, data))
    assert again.labels == fitted.labels
    assert again.card["format"] == 4


def test_saving_twice_gives_the_same_bytes(tmp_path: Path, fitted: Classifier):
    fitted.save(tmp_path / "a")
    fitted.save(tmp_path / "b")
    for name in ("arrays.npz", "card.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_altered_arrays_are_refused(tmp_path: Path, fitted: Classifier):
    fitted.save(tmp_path)
    content = bytearray((tmp_path / "arrays.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "arrays.npz").write_bytes(bytes(content))
    with pytest.raises(ModelError, match="differs from the file"):
        Classifier.load(tmp_path)


def test_another_format_is_refused(tmp_path: Path, fitted: Classifier):
    fitted.save(tmp_path)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card | {"format": 99}), encoding="utf-8")
    with pytest.raises(ModelError, match="format 99"):
        Classifier.load(tmp_path)


def test_a_missing_model_says_where_to_look(tmp_path: Path):
    with pytest.raises(ModelError, match=r"\[tag\] model"):
        Classifier.load(tmp_path / "none")


def test_arrays_hold_no_pickle(tmp_path: Path, fitted: Classifier):
    fitted.save(tmp_path)
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as stored:
        assert all(stored[name].dtype != object for name in stored.files)


def test_a_model_of_patterns_asks_for_them(data: TrainingSet, fitted: Classifier):
    with pytest.raises(ModelError, match="pattern counts"):
        fitted.judge(data.texts, data.words)


def test_patterns_are_matched_by_name(data: TrainingSet, fitted: Classifier):
    shuffled = np.hstack([np.full((len(data.texts), 1), 9, np.float32), data.patterns[:, ::-1]])
    names = ("group.new", "size", "group.price")
    assert np.array_equal(fitted.aligned(shuffled, names), data.patterns)
    assert fitted.unknown(names) == ([], ["group.new"])


def test_a_pattern_that_is_gone_speaks_neither_way(data: TrainingSet, fitted: Classifier):
    rows = fitted.aligned(data.patterns[:, 1:], ("size",))
    placed = fitted.landmarks.place(fitted.numbers(data.words, rows))
    assert np.allclose(placed[:, 0], 0, atol=1e-5)


def test_what_the_gate_holds_back_is_decided_no(data: TrainingSet, fitted: Classifier):
    shut = replace(fitted, gate_cut=np.full(2, np.inf, np.float32), gate_offset=np.full(2, -30, np.float32))
    assert not fitted.decisions(probabilities(shut, data)).any()


def test_the_gate_learns_from_passages_without_labels(data: TrainingSet):
    texts = tuple(f"{TOPICS[i % 4]}。" for i in range(200))  # all of them with the count that makes the model say yes
    others = Unlabelled(texts, tuple(map(tuple, texts)), np.tile(np.float32([2, 1]), (200, 1)))

    def error(classifier: Classifier) -> float:
        rows = classifier.features.matrix(others.texts, others.words)
        said = classifier.margins(rows, classifier.numbers(others.words, others.patterns))
        words = classifier.features.word_rows(others.words)
        return float(
            np.abs(words @ classifier.gate_weights.astype(np.float32) + classifier.gate_intercept - said).mean()
        )

    config = TrainConfig(vectors="", pattern_relief=3.0)
    taught = train(data, config, unlabelled=others)
    assert taught.card["unlabelled"] == 200
    assert error(taught) < 0.5 * error(train(data, config))


def test_scores_count_what_the_gate_holds_back(data: TrainingSet, fitted: Classifier):
    narrow = train(data, TrainConfig(vectors="", pattern_relief=3.0, gate_loss=0.6))
    assert narrow.card["gate_open"] < fitted.card["gate_open"]
    assert narrow.card["cross_validation"]["macro_f1"] < fitted.card["cross_validation"]["macro_f1"]


def test_passages_of_a_batch_do_not_change_each_other(data: TrainingSet, fitted: Classifier):
    alone = [probabilities(fitted, data.take(np.array([i])))[0] for i in range(8)]
    assert np.allclose(probabilities(fitted, data)[:8], alone, atol=1e-6)


def test_made_passages_teach_but_do_not_measure(data: TrainingSet):
    made = np.array([i % 10 == 0 for i in range(len(data.texts))])
    card = train(replace(data, made=made), TrainConfig(vectors="")).card
    assert card["made"] == 12
    assert card["passages"] == 120


def test_a_label_of_too_few_documents_is_named(data: TrainingSet):
    targets = data.targets.copy()
    targets[:, 1] = [i < 3 for i in range(len(targets))]
    with pytest.raises(LabelError, match=r"energy\.price.*3 documents"):
        train(TrainingSet(data.labels, data.texts, data.words, targets, data.groups))


def test_what_only_made_passages_show_cannot_be_measured(data: TrainingSet):
    with pytest.raises(LabelError, match=r"energy\.carbon.* of 0 documents"):
        train(replace(data, made=data.targets[:, 0]))
    with pytest.raises(LabelError, match=r"of 0 documents"):
        train(replace(data, made=np.ones(len(data.texts), bool)))


def test_a_label_without_counterexamples_is_named(data: TrainingSet):
    with pytest.raises(LabelError, match=r"energy\.price.*some passages without it"):
        train(replace(data, targets=data.targets | np.array([False, True])))


def test_the_model_knows_what_it_was_trained_on(tmp_path: Path, data: TrainingSet, fitted: Classifier):
    fitted.save(tmp_path)
    assert Classifier.load(tmp_path).knows([*data.texts[:3], "别的文字"]).tolist() == [True, True, True, False]


def test_bands_are_scored_on_what_they_were_not_chosen_on():
    rng = np.random.default_rng(1)
    scores = rng.random((2000, 1)).astype(np.float32)
    noise = rng.random((2000, 1)) < 0.5
    fold = rng.integers(0, 5, 2000)
    card = score_card(("a",), noise, scores, fold, 0.15)
    assert 0.6 < card["f1"]["a"] < 0.7  # all yes: nothing can be learnt
    assert card["abstain_f1"]["a"] < 0.7
    assert 0.8 < card["abstain_coverage"]["a"] <= 1


def test_bands_exist_where_every_score_is_above_the_threshold():
    scores = np.full((10, 1), 0.7, np.float32)
    truth = np.ones((10, 1), bool)
    low, high = abstain_bands(scores, truth, best_thresholds(scores, truth), 0.15)
    assert low[0] <= high[0] == pytest.approx(0.7)


def test_the_order_of_passages_changes_no_fold(data: TrainingSet):
    forward = dict(zip(data.groups, assign_folds(data.groups, 5, 1).tolist(), strict=True))
    backward = dict(zip(data.groups[::-1], assign_folds(data.groups[::-1], 5, 1).tolist(), strict=True))
    assert forward == backward


def test_the_threshold_is_the_middle_of_the_best_ones():
    scores = np.array([[0.9], [0.8], [0.7], [0.6], [0.1]], np.float32)
    truth = np.array([[True], [True], [True], [False], [False]])
    assert best_thresholds(scores, truth)[0] == pytest.approx(0.7)


def test_abstaining_raises_f1_within_its_budget():
    rng = np.random.default_rng(0)
    scores = rng.random((1000, 1)).astype(np.float32)
    truth = rng.random((1000, 1)) < scores
    threshold = best_thresholds(scores, truth)
    low, high = abstain_bands(scores, truth, threshold, 0.2)
    kept = (scores < low) | (scores >= high)
    assert 0.79 <= kept.mean() <= 0.82
    assert low[0] <= threshold[0] <= high[0]


def test_calibration_error_counts_the_gap():
    assert calibration_error(np.array([0.85] * 4), np.array([True, False, False, False])) == pytest.approx(0.6)


def test_near_copies_are_found_and_other_texts_are_not():
    held = ["坚持以人民为中心的发展思想，全面推进政务公开，主动接受社会监督。"]
    texts = ["各部门要" + held[0][2:], "坚持以人民为中心，发展学前教育和养老服务，扩大对外开放。", "短"]
    assert copies(texts, held).tolist() == [0]
