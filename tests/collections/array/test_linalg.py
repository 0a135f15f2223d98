from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import restride as rs
import restride.array as ra
from restride.collections.array.linalg import matrices
from restride.errors import ChunkError
from tests.collections.array.strategies import assert_same, axis_chunks, chunks_of

DTYPES = ["i8", "f4", "f8", "c8", "c16"]
FEW = settings(max_examples=15)  # each runs dozens of small computations
ORDERS = [None, 0, 1, 2, 3, -1, 0.5, np.inf, -np.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]


@pytest.fixture(params=["in blocks", "in one task"], autouse=True, scope="module")
def small_matrix(request):
    """Matrices as small as in tests would all go to one task, if it were not for this."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "in blocks":
            patch.setattr(matrices, "SMALL_MATRIX", 0)
        yield


def numbers(shape, dtype, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 4
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def accuracy(dtype):
    return 2e-3 if dtype in ("f4", "c8") else 1e-8


def assert_close(lazy, expected, tol=1e-8):
    assert_same(lazy, np.asarray(expected), rtol=tol)


@st.composite
def any_matrix(draw, max_side=9):
    """A matrix of any rank, its blocks, and how accurate results can be."""
    m, n = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    dtype = draw(st.sampled_from(DTYPES))
    a = numbers((m, n), dtype, draw(st.integers(0, 99)))
    match draw(st.sampled_from(["any", "zeros first", "rank one", "zeros"])):
        case "zeros first":
            a[:, : n // 2 + 1] = 0
        case "rank one":
            a = np.outer(a[:, 0], a[0])
        case "zeros":
            a = a * 0
    return a, ra.from_array(a, draw(chunks_of(a.shape))), accuracy(dtype) * max(abs(a).max(), 1)


@st.composite
def regular_matrix(draw, dtypes=DTYPES, make=None):
    """A square matrix that is far from singular, though its leading blocks may be singular."""
    n = draw(st.integers(1, 9))
    dtype = draw(st.sampled_from(dtypes))
    q = np.linalg.qr(numbers((n, n), "f8", draw(st.integers(0, 99))))[0]
    order = draw(st.permutations(range(n)))
    a = (q * 9).astype(dtype) if draw(st.booleans()) and dtype != "i8" else np.eye(n, dtype=dtype)[order] * 3
    if np.dtype(dtype).kind == "c":
        a = a * np.array(1 + 1j, dtype)
    a = a if make is None else make(a).astype(a.dtype)
    return a, ra.from_array(a, draw(chunks_of(a.shape))), accuracy(dtype)


@FEW
@given(any_matrix(), st.sampled_from(["reduced", "complete", "r"]))
def test_qr_gives_orthonormal_columns_and_a_triangle(case, mode):
    a, x, tol = case
    expected = np.linalg.qr(a, mode)
    if mode == "r":
        r = ra.linalg.qr(x, mode)
        assert (r.shape, r.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(r.T.conj() @ r, a.T.conj() @ a, atol=100 * tol)
        return
    q, r = ra.linalg.qr(x, mode)
    assert [f.shape for f in (q, r)] == [f.shape for f in expected]
    assert [f.dtype for f in (q, r)] == [f.dtype for f in expected]
    np.testing.assert_allclose(q @ r, a, atol=tol)
    np.testing.assert_allclose(q.T.conj() @ q, np.eye(q.shape[1]), atol=accuracy(q.dtype.str[1:]))
    assert not np.tril(r.compute(), -1).round(6).any()


@FEW
@given(any_matrix(), st.booleans())
def test_svd_gives_orthonormal_vectors_and_numpys_values(case, full):
    a, x, tol = case
    expected = np.linalg.svd(a, full_matrices=full)
    u, s, vh = ra.linalg.svd(x, full_matrices=full)
    for ours, theirs in zip((u, s, vh), expected):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    k = len(expected[1])
    np.testing.assert_allclose(s, expected[1], atol=tol)
    np.testing.assert_allclose(ra.linalg.svdvals(x), expected[1], atol=tol)
    np.testing.assert_allclose(u[:, :k] * s @ vh[:k], a, atol=tol)
    for unitary in (u.compute(), vh.compute().T):
        np.testing.assert_allclose(unitary.T.conj() @ unitary, np.eye(unitary.shape[1]), atol=1e-3)


def test_signs_of_singular_vectors_do_not_depend_on_chunks():
    a = numbers((20, 6), "f8", 0)
    first, *others = (ra.linalg.svd(ra.from_array(a, c), full_matrices=False) for c in [(20, 6), (5, 6), (7, 2)])
    for other in others:
        for ours, theirs in zip(first, other):
            np.testing.assert_allclose(ours, theirs, atol=1e-8)


@FEW
@given(any_matrix())
def test_ranks_and_pseudo_inverses_are_numpys(case):
    a, x, tol = case
    assert_close(ra.linalg.matrix_rank(x, tol=10 * tol), np.linalg.matrix_rank(a, tol=10 * tol))
    cut = 1e-3
    assert_close(ra.linalg.pinv(x, cut), np.linalg.pinv(a, cut), tol=max(tol, 1e-3) if a.dtype.itemsize < 8 else 1e-3)


@FEW
@given(any_matrix(), st.integers(0, 3), st.data())
def test_least_squares_are_numpys(case, k, data):
    a, x, tol = case
    b = numbers((a.shape[0], k) if k else a.shape[:1], "f8", k)
    ours = ra.linalg.lstsq(x, ra.from_array(b, data.draw(chunks_of(b.shape))), rcond=1e-4)
    solution, residuals, rank, s = np.linalg.lstsq(a, b, rcond=1e-4)
    assert (ours.x.shape, ours.x.dtype) == (solution.shape, solution.dtype)
    np.testing.assert_allclose(ours.x, solution, atol=max(tol, 1e-3))
    np.testing.assert_allclose(ours.s, s, atol=tol)
    assert ours.rank.compute() == rank
    if residuals.size:
        np.testing.assert_allclose(ours.residuals, residuals, atol=max(tol, 1e-3))
    assert ours.residuals.dtype == residuals.dtype


@FEW
@given(regular_matrix(), st.integers(0, 4), st.data())
def test_equations_are_solved_as_by_numpy(case, k, data):
    a, x, tol = case
    b = numbers((len(a), k) if k else len(a), data.draw(st.sampled_from(DTYPES)), k)
    y = ra.from_array(b, data.draw(chunks_of(b.shape)))
    assert_close(ra.linalg.solve(x, y), np.linalg.solve(a, b), 2e-3)
    assert_close(ra.linalg.inv(x), np.linalg.inv(a), tol)
    assert_close(ra.linalg.det(x), np.linalg.det(a), max(tol, 1e-3) if tol > 1e-6 else 1e-6)
    for ours, theirs in zip(ra.linalg.slogdet(x), np.linalg.slogdet(a)):
        assert_close(ours, theirs, tol)


@FEW
@given(regular_matrix(["f8", "c16"]), st.booleans(), st.data())
def test_triangular_equations_are_solved_as_by_scipy(case, lower, data):
    a, x, _ = case
    a, x = a + 20 * np.eye(len(a)), x + 20 * np.eye(len(a))
    b = numbers((len(a), 3), "f8", 0)
    y = ra.from_array(b, data.draw(chunks_of(b.shape)))
    expected = scipy.linalg.solve_triangular(a, b, lower=lower)
    assert_close(ra.linalg.solve_triangular(x, y, lower=lower), expected)
    assert_close(ra.linalg.solve_triangular(x, y[:, 1], lower=lower), expected[:, 1])


@FEW
@given(regular_matrix(["f4", "f8", "c16"], lambda a: a @ a.T.conj() + np.eye(len(a))), st.booleans())
def test_cholesky_is_numpys(case, upper):
    a, x, tol = case
    assert_close(ra.linalg.cholesky(x, upper=upper), np.linalg.cholesky(a, upper=upper), tol)
    other_triangle = x + (ra.tril if upper else ra.triu)(ra.ones(x.shape, x.dtype), -1 if upper else 1)
    assert_close(ra.linalg.cholesky(other_triangle, upper=upper), np.linalg.cholesky(a, upper=upper), tol)


@FEW
@given(any_matrix())
def test_lu_gives_a_permutation_and_triangles(case):
    a, x, tol = case
    p, lower, upper = ra.linalg.lu(x)
    expected = scipy.linalg.lu(a)
    assert [f.shape for f in (p, lower, upper)] == [f.shape for f in expected]
    assert [f.dtype for f in (p, lower, upper)] == [f.dtype for f in expected]
    np.testing.assert_allclose(p @ lower @ upper, a, atol=tol)
    k = min(a.shape)
    np.testing.assert_array_equal(lower, np.tril(lower, -1) + np.eye(len(a), k))
    assert abs(lower.compute()).max() <= np.sqrt(2) + 1e-6, "pivots are the largest, of |real| + |imag| at least"
    assert not np.tril(upper.compute(), -1).any()
    np.testing.assert_array_equal(np.sort(p.compute().argmax(0)), np.arange(len(a)))
    assert p.compute().sum() == len(a)


@FEW
@given(st.integers(1, 12), st.sampled_from(["f4", "f8", "c16"]), st.integers(0, 99), st.data())
def test_equations_of_badly_scaled_matrices_leave_residuals_as_small_as_numpys(n, dtype, seed, data):
    rng = np.random.default_rng(seed)
    rows, columns = 10.0 ** rng.integers(-9, 9, (2, n))
    a = (rows[:, None] * numbers((n, n), "f8", seed) * columns).astype(dtype)
    a[rng.random((n, n)) < 0.2] = 0
    a[np.arange(n), rng.permutation(n)] += rows.max().astype(dtype) * 2  # regular, mostly off the diagonal
    b = (numbers((n, 2), dtype, seed + 1) * rows[:, None]).astype(dtype)
    x = ra.linalg.solve(
        ra.from_array(a, data.draw(chunks_of(a.shape))), ra.from_array(b, data.draw(chunks_of(b.shape)))
    )
    ours, theirs = (backward_error(a, solution, b) for solution in (x.compute(), np.linalg.solve(a, b)))
    assert ours <= 10 * theirs + 10 * n * np.finfo(dtype).eps


def backward_error(a, x, b):
    """How far, of its size, the matrix is from one that has exactly this solution."""
    a, x, b = (value.astype("c16") for value in (a, x, b))
    norm = np.linalg.norm
    return max(norm(a @ u - v) / (norm(a) * norm(u) + norm(v)) for u, v in zip(x.T, b.T))


@pytest.mark.parametrize("spoil", ["zero column", "zero row", "equal rows", "zeros"])
@pytest.mark.parametrize("n", [2, 7])
def test_singular_matrices_have_no_solution_and_no_inverse_but_a_determinant(n, spoil):
    a = np.random.default_rng(0).integers(-4, 5, (n, n)).astype(float)
    match spoil:
        case "zero column":
            a[:, n // 2] = 0
        case "zero row":
            a[n // 2] = 0
        case "equal rows":
            a = np.tril(np.ones((n, n)))  # multiples of one another without rounding
            a[0] = a[-1]
        case "zeros":
            a[:] = 0
    x = ra.from_array(a, (3, 2))
    for function in (np.linalg.solve, ra.linalg.solve):
        with pytest.raises(np.linalg.LinAlgError, match=r"(?i)singular"):
            np.asarray(function(a if function is np.linalg.solve else x, np.ones(n)))
    with pytest.raises(np.linalg.LinAlgError, match=r"(?i)singular"):
        ra.linalg.inv(x).compute()
    assert ra.linalg.det(x).compute() == 0
    assert [part.compute() for part in ra.linalg.slogdet(x)] == [0, -np.inf]


@FEW
@given(regular_matrix(["f8", "c16"]), st.integers(-3, 5))
def test_powers_of_matrices_are_numpys(case, n):
    a, x, _ = case
    assert_close(ra.linalg.matrix_power(x, n), np.linalg.matrix_power(a, n), 1e-7)


@FEW
@given(regular_matrix(["f4", "f8", "c16"], lambda a: a + a.T.conj()), st.sampled_from("LU"))
def test_eigenvalues_of_hermitian_matrices_are_numpys(case, triangle):
    a, x, tol = case
    values, vectors = ra.linalg.eigh(x, triangle)
    assert_close(values, np.linalg.eigvalsh(a), tol * 10)
    assert_close(ra.linalg.eigvalsh(x, triangle), np.linalg.eigvalsh(a), tol * 10)
    np.testing.assert_allclose(x @ vectors, (vectors * values).compute(), atol=tol * 100)


@FEW
@given(any_matrix(), st.sampled_from(MATRIX_ORDERS), st.booleans())
def test_norms_of_matrices_are_numpys(case, order, keepdims):
    a, x, tol = case
    tol = max(tol, 1e-6)
    assert_close(ra.linalg.norm(x, order, keepdims=keepdims), np.linalg.norm(a, order, keepdims=keepdims), tol)
    if order is not None:
        ours = ra.linalg.matrix_norm(x * 1.0, ord=order, keepdims=keepdims)
        assert_close(ours, np.linalg.matrix_norm(a * 1.0, ord=order, keepdims=keepdims), tol)


@FEW
@given(any_matrix(), st.sampled_from(ORDERS), st.integers(-2, 1), st.booleans())
def test_norms_of_vectors_are_numpys(case, order, axis, keepdims):
    a, x, tol = case
    a, x, tol = a + 30, x + 30, max(tol, 1e-6)
    assert_close(ra.linalg.norm(x, order, axis, keepdims), np.linalg.norm(a, order, axis, keepdims), tol)
    assert_close(np.linalg.norm(x[0], order), np.linalg.norm(a[0], order), tol)
    ours = ra.linalg.vector_norm(x, ord=order or 2, keepdims=keepdims)
    assert_close(ours, np.linalg.vector_norm(a, ord=order or 2, keepdims=keepdims), tol)


@FEW
@given(st.data())
def test_matrices_in_stacks_are_as_by_numpy(data):
    a = numbers((2, 3, 4, 4), data.draw(st.sampled_from(DTYPES)), 0)
    x = ra.from_array(a, data.draw(chunks_of(a.shape)))
    tol = 1e-2 if a.dtype.itemsize < 8 or a.dtype == "c8" else 1e-7
    for name in ["inv", "det", "svdvals", "matrix_rank", "pinv"]:
        assert_close(getattr(ra.linalg, name)(x), getattr(np.linalg, name)(a), tol)
    assert_close(ra.linalg.solve(x, x[0]), np.linalg.solve(a, a[0]), tol)
    assert_close(ra.linalg.norm(x, "nuc", axis=(0, 2)), np.linalg.norm(a, "nuc", axis=(0, 2)), tol)
    q, r = ra.linalg.qr(x)
    np.testing.assert_allclose(q @ r, a, atol=tol)
    u, s, vh = ra.linalg.svd(x)
    np.testing.assert_allclose((u * s[..., None, :]) @ vh, a, atol=tol)


@pytest.mark.parametrize("iterator", ["power", "QR"])
def test_compressed_svd_finds_the_largest_values(iterator):
    a = numbers((60, 4), "f8", 0) @ numbers((4, 50), "f8", 1)
    x = ra.from_array(a, (13, 17))
    u, s, vh = ra.linalg.svd_compressed(x, 4, iterator, n_power_iter=1, seed=3)
    np.testing.assert_allclose(s, np.linalg.svd(a)[1][:4])
    np.testing.assert_allclose(u * s @ vh, a, atol=1e-8)
    again = ra.linalg.svd_compressed(x, 4, iterator, n_power_iter=1, seed=3, compute=True)
    np.testing.assert_array_equal(s, again.S)


def test_tall_matrices_may_have_rows_of_unknown_lengths():
    a = numbers((30, 3), "f8", 0)
    x = ra.from_array(a, (4, 3))
    chosen = a[a[:, 0] > 0]
    q, r = ra.linalg.tsqr(x[x[:, 0] > 0])
    np.testing.assert_allclose(q.compute() @ r.compute(), chosen, atol=1e-10)
    u, s, vh = ra.linalg.tsqr(x, compute_svd=True)
    np.testing.assert_allclose(s, np.linalg.svd(a)[1])
    np.testing.assert_allclose((u * s) @ vh, a, atol=1e-10)


def test_trees_of_qr_have_blocks_no_larger_than_twice_those_of_the_matrix(monkeypatch):
    sizes = []
    original = scipy.linalg.qr

    def remember(block, **options):
        sizes.append(block.size)
        return original(block, **options)

    monkeypatch.setattr(scipy.linalg, "qr", remember)
    ra.linalg.tsqr(ra.random.default_rng(0).random((1000, 4), chunks=(10, 4)))[1].compute()
    assert len(sizes) >= 100
    assert max(sizes) <= 80


def test_orientations_other_than_the_functions_are_errors():
    x = ra.ones((4, 4), chunks=2)
    with pytest.raises(ChunkError, match="rechunk"):
        ra.linalg.tsqr(x)
    with pytest.raises(ChunkError, match="rechunk"):
        ra.linalg.sfqr(x)


def test_what_does_not_fit_a_task_is_an_error_at_the_call(small_matrix):
    x = ra.ones((100_000, 100_000), chunks=1000)
    for function in (ra.linalg.svd, ra.linalg.eigh, ra.linalg.pinv):
        with pytest.raises(ChunkError, match="rechunk"):
            function(x)


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "matrix_power"])
def test_matrices_that_are_not_square_are_errors_at_the_call(name):
    args = (2,) if name == "matrix_power" else ()
    with pytest.raises(np.linalg.LinAlgError, match="square"):
        getattr(ra.linalg, name)(ra.ones((2, 3)), *args)
    with pytest.raises(np.linalg.LinAlgError):
        getattr(ra.linalg, name)(ra.ones(3), *args)


def test_bad_arguments_are_errors_at_the_call():
    x = ra.ones((2, 2))
    with pytest.raises(ValueError, match="mode"):
        ra.linalg.qr(x, "raw")
    with pytest.raises(ValueError, match="go together"):
        ra.linalg.solve(x, ra.ones(3))
    with pytest.raises(np.linalg.LinAlgError, match="Incompatible"):
        ra.linalg.lstsq(x, ra.ones(3))
    with pytest.raises(TypeError, match="float16"):
        ra.linalg.inv(x.astype("f2"))
    with pytest.raises(ValueError, match="order"):
        ra.linalg.norm(x, 3)
    with pytest.raises(ValueError, match="order"):
        ra.linalg.norm(x[0], "fro", axis=0)
    with pytest.raises(ValueError, match="UPLO"):
        ra.linalg.eigh(x, "X")
    with pytest.raises(ValueError, match="Improper"):
        ra.linalg.norm(ra.ones((2, 2, 2)), 2)


def test_what_is_not_positive_definite_has_no_cholesky_factor():
    with pytest.raises(np.linalg.LinAlgError):
        ra.linalg.cholesky(ra.from_array(-np.eye(4), 2)).compute()


def test_decompositions_run_on_processes():
    a = numbers((8, 8), "f8", 0)
    with rs.Client("processes", workers=2):
        x = ra.from_array(a, (3, 4))
        q, r = ra.linalg.qr(x)
        np.testing.assert_allclose(q @ r, a, atol=1e-10)
        assert_close(ra.linalg.solve(x, ra.ones(8)), np.linalg.solve(a, np.ones(8)), 1e-7)
        assert_close(ra.linalg.cholesky(x @ x.T), np.linalg.cholesky(a @ a.T), 1e-7)
        assert_close(ra.linalg.svdvals(x), np.linalg.svdvals(a))


@FEW
@given(axis_chunks(6))
def test_results_of_empty_matrices_are_numpys(lengths):
    a = np.ones((6, 0))
    x = ra.from_array(a, (lengths, (0,)))
    for ours, theirs in zip(ra.linalg.qr(x), np.linalg.qr(a)):
        assert_same(ours, theirs)
    assert_same(ra.linalg.norm(x), np.linalg.norm(a)[()])
