import numpy as np
import pytest
from scipy.stats import binomtest

from policytext.intervals import (
    ASSUMED_CORRELATION,
    codes,
    correlation,
    degrees_of_freedom,
    design_effect,
    effective_n,
    kish,
    shares,
    wilson,
)
from policytext.intervals import _clusters as clusters

ONE = np.zeros(1, int)


def cell_of(hits, units):
    return clusters(np.zeros(len(units), int), hits, units, 1)


def drawn(rng, cells, documents, truth, rho):
    """Cells with documents of very unequal length whose own shares scatter around the truth."""
    cell = np.repeat(np.arange(cells), documents)
    units = np.maximum(1, rng.lognormal(1.5, 1.2, len(cell)).astype(int))
    spread = (1 - rho) / rho
    chance = rng.beta(truth * spread, (1 - truth) * spread, len(cell))
    return cell, rng.binomial(units, chance), units


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 10), (10, 10), (37, 400)])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_wilson_equals_scipy(hits, n, level):
    expected = binomtest(hits, n).proportion_ci(level, method="wilson")
    assert [float(x) for x in wilson(hits / n, n, level=level)] == pytest.approx(list(expected))


def test_wilson_without_units_is_unknown():
    assert np.isnan(wilson([0.5, np.nan], [0, 0])).all()


def test_design_effect_of_clusters_of_one_size_is_the_textbook_one():
    hits, size = np.array([1.0, 4, 2, 5, 0]), 6
    p, m, n = hits.sum() / 30, 5, 30
    variance = m / (m - 1) * ((hits - p * size) ** 2).sum() / n**2
    assert design_effect(cell_of(hits, [size] * m))[0] == pytest.approx(variance / (p * (1 - p) / (n - 1)))


def test_single_passages_have_no_design_effect():
    assert design_effect(cell_of([1, 0, 0, 1, 0], [1] * 5))[0] == pytest.approx(1)


def test_documents_of_one_kind_throughout_have_a_design_effect_of_their_size():
    hits = np.repeat([20, 0], [15, 45])
    assert design_effect(cell_of(hits, [20] * 60))[0] == pytest.approx(20, rel=0.05)
    assert correlation(cell_of(hits, [20] * 60)) == (1.0, 59)
    assert kish(cell_of(hits, [20] * 60), np.ones(1))[0] == 20


def test_correlation_finds_the_one_that_made_the_data():
    cell, hits, units = drawn(np.random.default_rng(0), 20, 300, 0.2, 0.15)
    assert correlation(clusters(cell, hits, units, 20))[0] == pytest.approx(0.15, abs=0.02)


def test_correlation_does_not_see_differences_between_cells():
    rng = np.random.default_rng(0)
    cell = np.repeat([0, 1], 500)
    hits = rng.binomial(10, np.where(cell == 0, 0.05, 0.6))
    assert correlation(clusters(cell, hits, np.full(1000, 10), 2))[0] < 0.01


@pytest.mark.parametrize("sizes", [[5, 5, 5, 5], [1, 30], [3, 1, 200, 8, 12]])
def test_degrees_of_freedom_equal_the_matrix_form(sizes):
    n, m, rho = np.array(sizes, float), len(sizes), 0.2
    keep = np.eye(m) - np.outer(n / n.sum(), np.ones(m))
    form = keep.T @ np.diag(1 / (1 - n / n.sum())) @ keep @ np.diag(n * (1 + (n - 1) * rho))
    expected = np.trace(form) ** 2 / np.trace(form @ form)
    assert degrees_of_freedom(cell_of(0 * n, n), np.array([rho]))[0] == pytest.approx(expected)


def test_degrees_of_freedom_of_equal_clusters_are_their_number_less_one():
    assert degrees_of_freedom(cell_of([0] * 9, [7] * 9), np.array([0.3]))[0] == pytest.approx(8)


def test_effective_n_is_never_more_than_the_units():
    assert effective_n([10, 10, 1], [0.5, 1, 1], [9, np.inf, 1]).tolist() == [10, 10, 1]


def test_few_clusters_cost_effective_n():
    few, many = effective_n([100, 100], [2, 2], [3, 99])
    assert few < many == pytest.approx(50)


@pytest.mark.parametrize("documents", [2, 3, 6, 15, 40])
@pytest.mark.parametrize(("truth", "rho"), [(0.05, 0.1), (0.2, 0.3), (0.5, 0.1)])
def test_intervals_cover_the_truth_however_few_the_documents(documents, truth, rho):
    rng = np.random.default_rng(documents)
    covered, ignored = [], []
    for _ in range(20):
        cell, hits, units = drawn(rng, 25, documents, truth, rho)
        result = shares(cell, hits, units, np.zeros(25, int))
        covered.append((result.low <= truth) & (truth <= result.high))
        low, high = wilson(result.share, np.bincount(cell, weights=units))
        ignored.append((low <= truth) & (truth <= high))
    assert 0.92 <= np.mean(covered) <= 0.995  # 500 intervals: a Monte Carlo error of 0.01
    assert np.mean(ignored) < np.mean(covered) - 0.02


def test_cell_that_differs_from_its_pool_is_not_made_falsely_sure():
    """One label's documents agree with themselves far more in one period than in the other 24."""
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(300):
        cell, hits, units = drawn(rng, 25, 30, 0.2, 0.02)
        odd = drawn(rng, 1, 30, 0.2, 0.5)
        hits[:30], units[:30] = odd[1], odd[2]
        result = shares(cell, hits, units, np.zeros(25, int))
        covered.append(result.low[0] <= 0.2 <= result.high[0])
    assert np.mean(covered) >= 0.9


def test_one_document_rests_on_the_assumed_correlation_and_says_so():
    result = shares(ONE, [40], [400], ONE)
    assert result.basis.tolist() == ["assumed"]
    assert result.effective_n[0] == pytest.approx(400 / (1 + 399 * ASSUMED_CORRELATION), rel=0.01)


def test_pool_of_few_documents_cannot_lower_the_assumed_correlation():
    cell = np.array([0, 1, 1, 2, 2])
    result = shares(cell, [5, 5, 5, 5, 5], [50] * 5, np.zeros(3, int))
    assert result.basis.tolist() == ["assumed", "documents", "documents"]
    assert result.effective_n[0] < 10


def test_pools_do_not_lend_to_each_other():
    rng = np.random.default_rng(0)
    cell, hits, units = drawn(rng, 10, 20, 0.3, 0.5)
    cell, hits, units = np.append(cell, 10), np.append(hits, 0), np.append(units, 30)
    alone = shares(cell, hits, units, np.array([0] * 10 + [1]))
    assert alone.basis[10] == "assumed"
    assert shares(cell, hits, units, np.zeros(11, int)).basis[10] == "pooled"


def test_empty_cells_are_unknown():
    result = shares(np.array([0, 2]), [1, 0], [4, 0], np.zeros(3, int))
    assert result.clusters.tolist() == [1, 0, 0]
    assert np.isnan(result.low[1:]).all()
    assert result.basis.tolist() == ["assumed", "", ""]


def test_no_cells_at_all():
    assert len(shares(np.empty(0, int), [], [], np.empty(0, int)).share) == 0


def test_a_variance_that_rests_on_more_than_the_cell_buys_nothing():
    few = shares(np.array([0]), [2], [4], np.array([0]))
    assert few.effective_n[0] == pytest.approx(4 / few.design_effect[0])


def test_one_hit_among_thousands_does_not_make_a_cell_surer_than_none():
    rng = np.random.default_rng(0)
    cell = np.repeat(np.arange(12), 300)
    chance = rng.beta(0.05 * 7 / 3, 0.95 * 7 / 3, len(cell))
    hits = np.where(cell < 10, rng.binomial(20, chance), 0)
    hits[cell == 11] = np.arange(300) == 0  # one of 6,000
    found = shares(cell, hits, np.full(len(cell), 20), np.zeros(12, int))
    assert found.high[11] > 0.9 * found.high[10]


def test_a_cluster_without_a_name_is_one_of_its_own():
    assert codes(["a", None, "b", float("nan"), "a"]).tolist() == [0, 2, 1, 3, 0]
