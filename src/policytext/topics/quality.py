"""How good topics are: do their words occur together, do they differ, would another sample give them again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from policytext.config import TopicsConfig
from policytext.topics.models import TopicModel, Words, as_lists, count_words, fit, hashed

Floats = npt.NDArray[np.float64]


def judge(model: TopicModel, words: Words, *, top: int = 10) -> pd.DataFrame:
    """Return for each topic how good it is: topic, label, share, coherence, exclusive.

    share: of passages whose strongest topic it is; a last row, topic -1, is what no topic claims. coherence: mean NPMI
    of pairs of its `top` words within passages, from -1 (never together) over 0 (by chance) to 1 (always; Bouma 2009;
    Roeder, Both and Hinneburg 2015, Exploring the space of topic coherence measures). exclusive: share of its `top`
    words that no other topic has among its own; the mean over topics falls as topics repeat each other.

    `words` should not be the passages that the model was fitted on where there are others.
    """
    ids, _ = model.assign(words)
    best = [[word for word, _ in row] for row in model.terms(top)]
    shares = np.bincount(ids + 1, minlength=model.k + 1) / max(len(ids), 1)
    owners = pd.Series([word for row in best for word in row]).value_counts()
    table = pd.DataFrame(
        {
            "topic": range(model.k),
            "label": model.labels(),
            "share": shares[1:],
            "coherence": coherence(best, words),
            "exclusive": [float(np.mean([owners[word] == 1 for word in row])) for row in best],
        }
    )
    rest = pd.DataFrame({"topic": [-1], "label": [""], "share": [shares[0]]})
    return pd.concat([table, rest], ignore_index=True)


def coherence(topics: list[list[str]], words: Words) -> Floats:
    """Return the mean NPMI of the pairs of words of each topic, with a passage as the window.

    NPMI = ln(p(a, b) / (p(a) p(b))) / -ln p(a, b); -1 for a pair that never meets, NaN with a word never seen.

    >>> coherence([["a", "b"], ["a", "c"]], [["a", "b"], ["a", "b"], ["c"], ["d"]]).tolist()
    [1.0, -1.0]
    """
    names = sorted({word for row in topics for word in row})
    place = {name: i for i, name in enumerate(names)}
    counts = count_words(as_lists(words), names)
    counts.data[:] = 1
    together = np.asarray((counts.T @ counts).todense()) / max(counts.shape[0], 1)
    alone = np.diag(together)
    result = []
    for row in topics:
        a, b = np.triu_indices(len(row), 1)
        i, j = (np.array([place[word] for word in row], dtype=int)[side] for side in (a, b))
        values = _npmi(together[i, j], alone[i] * alone[j])
        result.append(float(values.mean()) if len(values) else float("nan"))
    return np.array(result)


def diversity(model: TopicModel, *, top: int = 25) -> float:
    """Return the share of distinct words among the `top` words of all topics (Dieng, Ruiz and Blei 2020)."""
    words = [word for row in model.terms(top) for word, _ in row]
    return len(set(words)) / max(len(words), 1)


def similarity(one: TopicModel, other: TopicModel) -> Floats:
    """Return for each topic of `one` the cosine with the topic of `other` that is matched to it, 0 without a match.

    Topics are matched one to one so that the sum is largest (the Hungarian method; Greene, O'Callaghan and Cunningham
    2014, How many topics? Stability analysis for topic models).
    """
    from scipy.optimize import linear_sum_assignment  # takes a fifth of a second to load, and a run does not need it

    names = sorted({*one.vocabulary.words, *other.vocabulary.words})
    place = {name: i for i, name in enumerate(names)}
    wide = []
    for model in (one, other):
        rows = np.zeros((model.k, len(names)))
        rows[:, [place[word] for word in model.vocabulary.words]] = model.topics
        wide.append(rows / np.linalg.norm(rows, axis=1, keepdims=True))
    cosines = wide[0] @ wide[1].T
    mine, theirs = linear_sum_assignment(-cosines)
    result = np.zeros(one.k)
    result[mine] = cosines[mine, theirs]
    return result


def compare(words: Words, config: TopicsConfig, *, ks: list[int], repeats: int = 3) -> pd.DataFrame:
    """Return what speaks for each number of topics: k, coherence, diversity, stability, unassigned.

    Models are fitted on half of the passages and judged on the other. stability: mean cosine of topics fitted on
    different samples of two thirds of the fitting half. The measures often disagree; none of them knows the question.
    """
    lists = as_lists(words)
    halves = [lists.filter(pa.array(half)) for half in _halves(lists, config.seed)]
    rows = []
    for k in ks:
        here = replace(config, k=k)
        model = fit(halves[0], here)
        judged = judge(model, halves[1])
        part = max(1, 2 * min(len(halves[0]), config.fit_passages) // 3)
        others = [fit(halves[0], replace(here, fit_passages=part, seed=config.seed + i + 1)) for i in range(repeats)]
        rows.append(
            {
                "k": k,
                "coherence": float(judged["coherence"].mean()),
                "diversity": diversity(model),
                "stability": float(np.mean([similarity(model, other).mean() for other in others])),
                "unassigned": float(judged["share"].iloc[-1]),
            }
        )
    return pd.DataFrame(rows)


def _halves(lists: pa.LargeListArray, seed: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Split by a hash of the words, so that order does not matter and a passage never meets its own copy."""
    first = hashed(pc.binary_join(lists, "\x1f").to_pylist(), seed) % 2 == 0
    return first, ~first


def _npmi(joint: Floats, independent: Floats) -> Floats:
    """Return NPMI from the probability of meeting and that of meeting by chance."""
    seen = independent > 0
    meets = seen & (joint > 0)
    safe = np.where(meets, joint, 0.5)
    value = np.log(safe / np.where(seen, independent, 1)) / -np.log(np.where(safe == 1, 0.5, safe))
    value = np.where(joint == 1, 1.0, np.where(meets, value, -1.0))
    return np.where(seen, value, np.nan)
