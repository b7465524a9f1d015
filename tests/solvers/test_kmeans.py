from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers import chunking, distances, kmeans_arguments
from cilsim.solvers.kmeans import kmeans, semi_supervised_kmeans

GOLDEN = Path(__file__).parents[1] / "golden" / "gcd_sskmeans.npz"


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def blobs(clusters=6, each=20, size=5, seed=0):
    generator = draws(seed)
    centres = 10 * torch.randn(clusters, size, generator=generator)
    noise = torch.randn(clusters * each, size, generator=generator)
    return centres.repeat_interleave(each, 0) + noise


def inertia_of(points, labels, clusters):
    total = 0.0
    for cluster in range(clusters):
        part = points[labels == cluster].double()
        total += float((part - part.mean(0)).square().sum()) if len(part) else 0.0
    return total


@pytest.fixture
def golden():
    with np.load(GOLDEN, allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture
def replay(golden, request):
    """Our result and the reference's arrays of one case, from the same draws."""
    case = {
        key.removeprefix(f"{request.param}_"): value
        for key, value in golden.items()
        if key.startswith(f"{request.param}_")
    }
    found = semi_supervised_kmeans(
        torch.from_numpy(case["l_feats"]),
        torch.from_numpy(case["l_targets"]),
        torch.from_numpy(case["u_feats"]),
        int(case["K"]),
        uniform_draws=torch.from_numpy(case["kpp_uniform_draws"]),
        max_iterations=int(case["max_iter"]),
        tolerance=float(case["tol"]),
    )
    return found, case


@pytest.mark.parametrize("replay", ["easy", "hard", "k_wrong"], indirect=True)
class TestReplayOfGcd:
    def test_labels_are_equal(self, replay):
        found, case = replay
        np.testing.assert_array_equal(torch.cat([found.pinned, found.labels]), case["labels"])

    def test_centres_are_equal(self, replay):
        found, case = replay
        np.testing.assert_allclose(found.centres, case["centers"], rtol=0, atol=1e-5)

    def test_inertias_of_all_restarts_are_equal(self, replay):
        found, case = replay
        assert found.inertia == pytest.approx(float(case["inertia"]), rel=1e-4)
        np.testing.assert_allclose(found.restart_inertias, case["inertia_per_init"], rtol=1e-4)

    def test_iterations_are_iterations(self, replay):
        found, case = replay
        assert 1 <= found.iterations <= int(case["max_iter"])


@pytest.mark.parametrize("case", ["easy", "hard", "k_wrong"])
def test_each_restart_alone_equals_that_of_gcd(golden, case):
    reference = {key.removeprefix(f"{case}_"): value for key, value in golden.items()}
    for row, uniforms in enumerate(torch.from_numpy(reference["kpp_uniform_draws"])):
        found = semi_supervised_kmeans(
            torch.from_numpy(reference["l_feats"]),
            torch.from_numpy(reference["l_targets"]),
            torch.from_numpy(reference["u_feats"]),
            int(reference["K"]),
            uniform_draws=uniforms.unsqueeze(0),
            max_iterations=int(reference["max_iter"]),
        )
        labels = torch.cat([found.pinned, found.labels])
        np.testing.assert_array_equal(labels, reference["labels_per_init"][row])
        np.testing.assert_allclose(
            found.centres, reference["centers_per_init"][row], rtol=0, atol=1e-5
        )


def test_k_means_without_labels_equals_that_of_gcd(golden):
    points, clusters = torch.from_numpy(golden["plain_X"]), int(golden["plain_K"])
    state = np.random.RandomState(int(golden["plain_seed"]))
    rows = []
    for _ in range(int(golden["plain_n_init"])):
        first = (state.randint(0, len(points)) + 0.5) / len(points)
        rows.append([first, *state.rand(clusters - 1)])
    found = kmeans(points, clusters, uniform_draws=torch.tensor(rows))
    np.testing.assert_array_equal(found.labels, golden["plain_labels"])
    np.testing.assert_allclose(found.centres, golden["plain_centers"], rtol=0, atol=1e-5)
    assert found.inertia == pytest.approx(float(golden["plain_inertia"]), rel=1e-4)
    assert found.pinned.shape == (0,)


def test_nearest_centres_equal_the_prediction_of_gcd(golden):
    found = distances.nearest_centres(
        torch.from_numpy(golden["predict_X"]), torch.from_numpy(golden["easy_centers"])
    )
    np.testing.assert_array_equal(found, golden["predict_labels"])


def test_nearest_centre_of_a_tie_is_the_lowest():
    points = torch.tensor([[0.0], [1.0]])
    centres = torch.tensor([[2.0], [1.0], [-1.0], [1.0]])
    assert distances.nearest_centres(points, centres).tolist() == [1, 1]


def test_separate_blobs_are_found():
    found = kmeans(blobs(), 6, generator=draws(), n_init=3)
    blocks = found.labels.view(6, 20)
    assert (blocks == blocks[:, :1]).all()
    assert blocks[:, 0].unique().tolist() == [0, 1, 2, 3, 4, 5]
    expected = torch.stack([blobs()[found.labels == cluster].mean(0) for cluster in range(6)])
    torch.testing.assert_close(found.centres, expected)
    assert found.inertia == pytest.approx(inertia_of(blobs(), found.labels, 6), rel=1e-5)


def test_equal_generators_give_equal_results():
    points = torch.randn(200, 4, generator=draws(5))
    first = kmeans(points, 7, generator=draws(1))
    second = kmeans(points, 7, generator=draws(1))
    assert torch.equal(first.labels, second.labels)
    assert torch.equal(first.centres, second.centres)
    assert first.restart_inertias == second.restart_inertias


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    kmeans(blobs(), 6, generator=draws())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_kept_restart_has_the_smallest_inertia():
    points = torch.randn(100, 2, generator=draws(2))
    found = kmeans(points, 12, generator=draws(), n_init=8, candidates=1)
    assert len(found.restart_inertias) == 8
    assert found.inertia == min(found.restart_inertias) < max(found.restart_inertias)


def test_several_candidates_per_centre_end_in_better_optima():
    points = blobs(clusters=40, each=5, seed=3)
    one = kmeans(points, 40, generator=draws(), candidates=1)
    several = kmeans(points, 40, generator=draws())
    assert sum(several.restart_inertias) < 0.8 * sum(one.restart_inertias)


def test_a_common_offset_costs_no_digits():
    points = blobs() / 10
    near = kmeans(points, 6, generator=draws())
    far = kmeans(points + 1000.0, 6, generator=draws())
    assert torch.equal(far.labels, near.labels)
    assert far.inertia == pytest.approx(near.inertia, rel=1e-2)


def test_autocast_changes_nothing():
    plain = kmeans(blobs(), 6, generator=draws())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = kmeans(blobs(), 6, generator=draws())
    assert torch.equal(cast.centres, plain.centres)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.bfloat16, torch.float32),
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
    ],
    ids=str,
)
def test_half_precision_is_clustered_in_float32(given, expected):
    found = kmeans(blobs().to(given), 6, generator=draws())
    assert found.centres.dtype == expected


@pytest.mark.parametrize("max_bytes", [1 << 20, 1200], ids=["held", "read again"])
def test_embedded_points_are_clustered_as_an_embedded_copy(max_bytes):
    points, embed = blobs() + 5.0, torch.nn.functional.normalize
    chosen = {"n_init": 3, "max_bytes": max_bytes}
    found = kmeans(points, 6, generator=draws(), embed=embed, **chosen)
    expected = kmeans(embed(points), 6, generator=draws(), **chosen)
    assert torch.equal(found.labels, expected.labels)
    torch.testing.assert_close(found.centres, expected.centres, rtol=0.0, atol=1e-6)


def test_centres_can_be_trained():
    centres = kmeans(blobs(), 6, generator=draws(), n_init=1).centres.requires_grad_()
    (0.5 * centres.square().sum()).backward()
    assert torch.equal(centres.grad, centres)


def test_inertia_equals_that_of_scikit_learn():
    """To 1e-4, of ten restarts each, from first centres of their own."""
    from sklearn.cluster import KMeans

    points = blobs(clusters=12, each=50, size=16) / 3
    theirs = KMeans(12, n_init=10, random_state=0).fit(points.numpy()).inertia_
    ours = kmeans(points, 12, generator=draws()).inertia
    assert ours == pytest.approx(float(theirs), rel=1e-4)


def test_the_smallest_of_equals_is_the_lowest_and_nan_names_a_place():
    values = torch.tensor([[[3.0, 2.0, torch.nan], [1.0, 2.0, 0.0], [1.0, 4.0, 1.0]]])
    smallest, places = distances._least(values.clone())
    assert places[0].tolist()[:2] == [1, 0]
    assert 0 <= int(places[0, 2]) < 3
    assert smallest[0].tolist()[:2] == [1.0, 2.0]


def test_small_memory_gives_the_same_clusters(monkeypatch):
    expected = kmeans(blobs(), 6, generator=draws(), n_init=5)
    monkeypatch.setattr(chunking, "CPU_BYTES", 1200)
    found = kmeans(blobs(), 6, generator=draws(), n_init=5)
    assert torch.equal(found.labels, expected.labels)
    torch.testing.assert_close(found.centres, expected.centres)


def test_sums_by_products_equal_sums_by_rows():
    points, labels = torch.randn(50, 3), torch.randint(0, 4, (2, 50))
    sums, counts = distances.cluster_sums(points, labels, 4)
    products = torch.zeros(8, 3)
    distances._add_by_products(products, points, labels + torch.tensor([[0], [4]]))
    torch.testing.assert_close(products.view(2, 4, 3), sums)
    assert counts.sum(1).tolist() == [50, 50]


class TestDegenerateInput:
    def test_as_many_clusters_as_points_have_no_inertia(self):
        points = torch.tensor([[0.0, 0.0], [1.0, 0.0], [5.0, 5.0]])
        found = kmeans(points, 3, generator=draws())
        assert sorted(found.labels.tolist()) == [0, 1, 2]
        assert found.inertia == pytest.approx(0.0, abs=1e-10)

    def test_one_cluster_is_the_mean(self):
        found = kmeans(blobs(), 1, generator=draws())
        assert found.labels.unique().tolist() == [0]
        torch.testing.assert_close(found.centres[0], blobs().mean(0))

    def test_fewer_distinct_points_than_clusters_give_no_nan(self):
        points = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(10, 1)
        found = kmeans(points, 5, generator=draws())
        assert torch.isfinite(found.centres).all()
        assert found.inertia == pytest.approx(0.0, abs=1e-10)
        assert found.labels.view(10, 2).unique(dim=0).shape == (1, 2)

    def test_equal_points_are_one_cluster(self):
        found = kmeans(torch.full((8, 3), 0.3), 2, generator=draws())
        assert torch.isfinite(found.centres).all()
        assert found.labels.unique().tolist() == [0]

    def test_nothing_to_draw_needs_one_restart(self):
        points = blobs(clusters=2)
        ids = torch.tensor([4, 9]).repeat_interleave(20)
        found = semi_supervised_kmeans(points, ids, points, 2, generator=draws())
        assert len(found.restart_inertias) == 1
        assert torch.equal(found.labels, found.pinned)


def test_labelled_points_stay_in_the_cluster_of_their_class():
    labelled, ids = torch.tensor([[0.0], [10.0], [0.2]]), torch.tensor([70, 3, 3])
    found = semi_supervised_kmeans(
        labelled, ids, torch.tensor([[0.1], [0.0], [50.0]]), 3, generator=draws()
    )
    assert found.pinned.tolist() == [1, 0, 0]
    assert found.labels.tolist() == [1, 1, 2]
    torch.testing.assert_close(found.centres, torch.tensor([[5.1], [0.1 / 3], [50.0]]))


def test_labelled_argument_of_kmeans_is_semi_supervised_kmeans():
    points, ids = blobs(), torch.arange(2).repeat_interleave(20)
    uniforms = torch.rand(4, 4, generator=draws(), dtype=torch.float64)
    one = kmeans(points[40:], 6, uniform_draws=uniforms, labelled=(points[:40], ids))
    other = semi_supervised_kmeans(points[:40], ids, points[40:], 6, uniform_draws=uniforms)
    assert torch.equal(one.labels, other.labels)
    assert one.restart_inertias == other.restart_inertias


@given(st.integers(0, 1000), st.integers(1, 8), st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_any_points_give_finite_centres_and_a_consistent_result(seed, clusters, extra):
    points = torch.randint(-3, 4, (clusters + extra, 2), generator=draws(seed)).float()
    found = kmeans(points, clusters, generator=draws(seed), n_init=3)
    assert torch.isfinite(found.centres).all()
    assert int(found.labels.min()) >= 0
    assert int(found.labels.max()) < clusters
    assert inertia_of(points, found.labels, clusters) <= found.inertia + 1e-3


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_another_order_of_the_points_moves_only_the_labels(seed):
    points = blobs(seed=seed)
    order = torch.randperm(len(points), generator=draws(seed))
    one = kmeans(points, 6, generator=draws(), n_init=10)
    other = kmeans(points[order], 6, generator=draws(), n_init=10)
    pairs = torch.stack([one.labels[order], other.labels], 1).unique(dim=0)
    assert len(pairs) == 6


POINTS = torch.zeros(4, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"clusters": 5},
            "4 points for 5 clusters without labels; expected at least one point per cluster",
        ),
        (
            {"clusters": 0},
            "clusters=0 and max_iterations=100; expected at least 1 of each",
        ),
        (
            {"max_iterations": 0},
            "clusters=2 and max_iterations=0; expected at least 1 of each",
        ),
        ({"n_init": 0}, "n_init=0 and candidates=2; expected at least 1 of each"),
        ({"candidates": 0}, "n_init=10 and candidates=0; expected at least 1 of each"),
        ({"generator": None}, "expected either a generator or uniform_draws"),
        (
            {"uniform_draws": torch.zeros(1, 2)},
            "expected either a generator or uniform_draws",
        ),
        (
            {"generator": None, "uniform_draws": torch.zeros(3, 1)},
            "uniform_draws have shape (3, 1); expected (restarts, 2)",
        ),
        (
            {"labelled": (torch.zeros(3, 2), torch.tensor([5, 6, 7]))},
            "2 clusters for 3 labelled classes; expected at least one per class",
        ),
        (
            {"labelled": (torch.zeros(3, 2), torch.tensor([5, 6]))},
            "features, labelled features and class ids have shapes (4, 2), (3, 2) and (2,); "
            "expected (N, D), (L, D) and (L,)",
        ),
        (
            {"features_ND": torch.zeros(4)},
            "features, labelled features and class ids have shapes (4,), (0,) and (0,); "
            "expected (N, D), (L, D) and (L,)",
        ),
        (
            {"features_ND": torch.zeros(0, 2)},
            "0 points for 2 clusters without labels; expected at least one point per cluster",
        ),
        (
            {"features_ND": torch.zeros(4, 2, dtype=torch.int64)},
            "features are torch.int64; expected floating-point numbers",
        ),
        (
            {"features_ND": torch.full((4, 2), torch.nan)},
            "features hold NaN or infinity; expected finite numbers",
        ),
        (
            {"labelled": (torch.full((1, 2), torch.inf), torch.tensor([5]))},
            "labelled features hold NaN or infinity; expected finite numbers",
        ),
    ],
)
def test_what_cannot_be_clustered_is_refused(arguments, message):
    chosen = {"features_ND": POINTS, "clusters": 2, "generator": draws(), **arguments}
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        kmeans(chosen.pop("features_ND"), chosen.pop("clusters"), **chosen)
    assert str(caught.value) == message


def test_a_generator_off_the_cpu_is_refused():
    class Elsewhere:
        device = torch.device("meta")

    message = "the generator is on meta; expected the CPU, so that draws are equal on every device"
    with pytest.raises(ValueError, match=f"^{message}$"):
        kmeans_arguments.draws_for(Elsewhere(), None, 1, 1, 1)
