"""groupby beside pandas: over generated frames and partitionings, and by every way that it can go."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import restride.dataframe as rd
from restride.collections.dataframe.operations.groupby import plan
from tests.collections.dataframe.strategies import assert_same, frames_of, from_pandas, partitioned

FRAME = {"key": "str", "other": "int8", "cat": "category", "x": "finite", "n": "int64", "flag": "bool", "t": "datetime"}
few = settings(max_examples=40)

# The dtypes of these results do not depend on the values; see the coverage for those of others.
AGGREGATES = ["count", "sum", "mean", "var", "std", "min", "max", "first", "last", "median", "nunique", "sem"]


def grouped(frame):
    return partitioned(frames_of(frame, min_rows=1))


@few
@given(
    grouped(FRAME),
    st.sampled_from(["key", ["key", "other"], ["cat", "key"], "t", "flag"]),
    st.sampled_from(AGGREGATES),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_aggregates_are_those_of_pandas(case, by, name, sort, dropna, as_index):
    options = {"sort": sort, "dropna": dropna, "as_index": as_index}
    ours = getattr(case.ours.groupby(by, **options)[["x", "n"]], name)()
    theirs = getattr(case.theirs.groupby(by, **options)[["x", "n"]], name)()
    assert_same(ours, theirs)


@pytest.mark.parametrize("name", ["var", "std", "sem", "mean", "skew", "kurt"])
def test_moments_where_no_row_has_a_group(name):
    frame = pd.DataFrame({"key": [None, None], "x": [1.0, 2.0]}, dtype="float64").astype({"key": "str"})
    assert_same(getattr(from_pandas(frame, 2).groupby("key"), name)(), getattr(frame.groupby("key"), name)())


@few
@given(grouped(FRAME), st.sampled_from(["count", "min", "max", "first", "last", "nunique"]))
def test_aggregates_of_strings_dates_and_truth_values_are_those_of_pandas(case, name):
    columns = ["key", "t", "flag"]
    assert_same(
        getattr(case.ours.groupby("other")[columns], name)(), getattr(case.theirs.groupby("other")[columns], name)()
    )


@few
@given(
    partitioned(frames_of({"key": "str", "n": "int8", "x": "float64", "t": "datetime"}, min_rows=1, max_rows=12)),
    st.sampled_from(["idxmin", "idxmax"]),
    st.sampled_from([["n", "x"], ["t"]]),
)
def test_labels_of_extremes_are_those_of_pandas(case, name, columns):
    ours, theirs = (frame.assign(x=frame.x.fillna(0.5)).dropna() for frame in (case.ours, case.theirs))
    assert_same(getattr(ours.groupby("key")[columns], name)(), getattr(theirs.groupby("key")[columns], name)())


@few
@given(grouped(FRAME), st.booleans(), st.booleans())
def test_categories_that_do_not_occur_have_groups_unless_observed(case, sort, dropna):
    options = {"observed": False, "sort": sort, "dropna": dropna}
    for by in ("cat", ["cat", "key"]):
        ours, theirs = case.ours.groupby(by, **options), case.theirs.groupby(by, **options)
        assert_same(ours.x.sum(), theirs.x.sum())
        assert_same(ours.size(), theirs.size())


@few
@given(grouped(FRAME), st.booleans(), st.integers(2, 4))
def test_results_in_several_partitions_are_in_the_same_order(case, sort, split_out):
    ours = case.ours.groupby(["key", "other"], sort=sort).n.sum(split_out=split_out)
    assert ours.npartitions == split_out
    assert_same(ours, case.theirs.groupby(["key", "other"], sort=sort).n.sum())


@few
@given(grouped(FRAME))
def test_rows_are_grouped_by_series_functions_and_levels(case):
    ours, theirs = case.ours, case.theirs
    assert_same(ours.groupby(ours.n > 1).x.sum(), theirs.groupby(theirs.n > 1).x.sum())
    assert_same(ours.groupby(["key", ours.n % 2]).x.sum(), theirs.groupby(["key", theirs.n % 2]).x.sum())
    assert_same(ours.x.groupby(ours.key).sum(), theirs.x.groupby(theirs.key).sum())
    level = theirs.index.nlevels - 1
    assert_same(ours.groupby(level=level).n.sum(), theirs.groupby(level=level).n.sum())
    assert_same(
        ours.groupby(lambda label: str(label)[:1]).n.sum(), theirs.groupby(lambda label: str(label)[:1]).n.sum()
    )


@few
@given(
    grouped(FRAME),
    st.sampled_from(["shift", "ffill", "bfill", "rank", "head", "tail"]),
    st.booleans(),
)
def test_rows_of_groups_keep_their_places(case, name, dropna):
    ours = getattr(case.ours.groupby("key", dropna=dropna)[["x"]], name)()
    assert_same(ours, getattr(case.theirs.groupby("key", dropna=dropna)[["x"]], name)())


@few
@given(grouped({"key": "int8", "x": "finite", "n": "int64"}))
def test_what_is_made_of_rows_can_be_used_row_by_row_with_them(case):
    ours = case.ours.assign(part=case.ours.n - case.ours.groupby("key").n.transform("min"))
    theirs = case.theirs.assign(part=case.theirs.n - case.theirs.groupby("key").n.transform("min"))
    assert_same(ours, theirs)
    assert_same(case.ours.groupby("key").n.cumsum(), case.theirs.groupby("key").n.cumsum())
    assert_same(case.ours.groupby("key").cumcount(), case.theirs.groupby("key").cumcount())


@few
@given(grouped({"key": "int8", "x": "finite", "n": "int64"}))
def test_functions_of_the_users_are_applied_to_whole_groups(case):
    assert_same(case.ours.groupby("key").agg(spread), case.theirs.groupby("key").agg(spread))
    assert_same(case.ours.groupby("key").apply(len), case.theirs.groupby("key").apply(len))
    assert_same(
        case.ours.groupby("key", group_keys=True).apply(two_rows),
        case.theirs.groupby("key", group_keys=True).apply(two_rows),
    )
    assert_same(case.ours.groupby("key").filter(several), case.theirs.groupby("key").filter(several))


def spread(values):
    return float(values.max() - values.min())


def two_rows(group):
    return group.head(2)


def several(group):
    return len(group) > 1


def many(n_rows=60, n_keys=7):
    rng = np.random.default_rng(0)
    keys = rng.integers(0, n_keys, n_rows)
    return pd.DataFrame(
        {"key": keys, "name": [f"n{key}" for key in keys], "x": rng.integers(0, 9, n_rows) / 4, "n": range(n_rows)}
    )


def test_every_form_of_agg_is_that_of_pandas():
    theirs = many()
    ours = from_pandas(theirs)
    forms = [
        (("sum",), {}),
        ((["sum", "mean"],), {}),
        (({"x": "sum", "n": "max"},), {}),
        (({"x": ["sum", "count"], "n": "max"},), {}),
        ((), {"total": ("x", "sum"), "most": pd.NamedAgg("n", "max"), "wide": ("x", spread)}),
        (({"x": [spread, "min"]},), {}),
        (({"x": np.std, "n": np.mean},), {}),
    ]
    for args, named in forms:
        assert_same(ours.drop(columns="name").groupby("key").agg(*args, **named),
                    theirs.drop(columns="name").groupby("key").agg(*args, **named))  # fmt: skip
    assert_same(ours.groupby("key").x.agg(["min", "max"]), theirs.groupby("key").x.agg(["min", "max"]))
    assert_same(ours.groupby("key").x.agg(low="min"), theirs.groupby("key").x.agg(low="min"))
    assert_same(ours.groupby("key").x.agg(list), theirs.groupby("key").x.agg(list))
    assert_same(ours.groupby("key").n.unique(), theirs.groupby("key").n.unique())


def test_a_reduction_of_ones_own_is_made_of_parts():
    theirs = many()
    extent = rd.Aggregation(
        "extent", lambda s: (s.max(), s.min()), lambda a, b: (a.max(), b.min()), lambda high, low: high - low
    )
    ours = from_pandas(theirs).groupby("key").agg(extent=("x", extent))
    assert_same(ours, theirs.groupby("key").agg(extent=("x", spread)))


def test_windows_counts_and_matrices_of_groups_are_those_of_pandas():
    theirs = many()
    ours = from_pandas(theirs).groupby("key")
    groups = theirs.groupby("key")
    assert_same(ours[["x", "n"]].rolling(3, min_periods=1).sum(), groups[["x", "n"]].rolling(3, min_periods=1).sum())
    assert_same(ours[["x", "n"]].corr(), groups[["x", "n"]].corr())
    assert_same(ours[["x", "n"]].cov(), groups[["x", "n"]].cov())
    assert_same(ours.x.quantile(0.3), groups.x.quantile(0.3))
    assert_same(ours.x.idxmax(), groups.x.idxmax())
    assert_same(ours.nth(1), groups.nth(1))
    assert_same(ours.get_group(3), groups.get_group(3))
    assert sorted(ours.x.value_counts().compute().tolist()) == sorted(groups.x.value_counts().tolist())
    for (our_key, own), (key, group) in zip(ours, groups, strict=True):
        assert our_key == key
        assert_same(own, group)


@pytest.mark.parametrize("keys", ["key", "name", ["key", "name"]])
@pytest.mark.parametrize("sort", [True, False])
def test_results_are_the_same_whichever_way_they_are_computed(monkeypatch, keys, sort):
    theirs = many(400, 90)
    expected = theirs.groupby(keys, sort=sort).agg({"x": ["sum", "std", "nunique", "median"], "n": "first"})
    for few_rows, kept in ((10**6, 1.0), (0, 1.0), (0, 0.0)):
        monkeypatch.setattr(plan, "FEW_ROWS", few_rows)
        monkeypatch.setattr(plan, "FEW_GROUPS", 10)
        monkeypatch.setattr(plan, "KEPT", kept)
        monkeypatch.setattr(plan, "SPLIT_ROWS", 10)
        ours = from_pandas(theirs, 12).groupby(keys, sort=sort)
        assert_same(ours.agg({"x": ["sum", "std", "nunique", "median"], "n": "first"}), expected)
        assert_same(from_pandas(theirs, 12).drop_duplicates(keys), theirs.drop_duplicates(keys))


def test_many_groups_are_split_by_hash_and_few_go_up_a_tree(monkeypatch):
    monkeypatch.setattr(plan, "FEW_ROWS", 0)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 10)
    monkeypatch.setattr(plan, "FEW_GROUPS", 3)
    theirs = many(400, 5)
    few_groups = from_pandas(theirs, 8).groupby("key").x.sum()
    assert "tree" in str(few_groups.explain())
    assert "split by hash" in str(from_pandas(theirs, 8).groupby("n").x.sum().explain())


def test_one_group_of_nearly_all_rows_is_no_trouble(monkeypatch):
    monkeypatch.setattr(plan, "FEW_ROWS", 0)
    monkeypatch.setattr(plan, "SPLIT_ROWS", 10)
    monkeypatch.setattr(plan, "KEPT", 0.0)
    theirs = pd.DataFrame({"key": [0] * 500 + list(range(1, 100)), "x": range(599)}).sample(frac=1, random_state=0)
    assert_same(from_pandas(theirs, 9).groupby("key").x.median(), theirs.groupby("key").x.median())


def test_columns_that_no_result_needs_are_not_read():
    ours = from_pandas(many()).groupby("key").agg({"x": "sum", "n": "max"})[["n"]]
    assert "key, n" in str(ours.explain()).split("optimised")[1]
    assert "x" not in str(ours.explain()).split("optimised")[1].split("tasks")[0].replace("max", "")


def test_objects_that_arrow_cannot_hold_are_grouped_by_pandas():
    theirs = pd.DataFrame({"key": [1, "a", 1, None, "a"], "z": [1 + 2j, 0, 1j, 5, 6], "x": range(5)})
    ours = from_pandas(theirs)
    assert_same(ours.groupby("key", sort=False).x.sum(), theirs.groupby("key", sort=False).x.sum())
    assert_same(ours.groupby("x").z.sum(), theirs.groupby("x").z.sum())


def test_empty_frames_and_keys_that_are_all_missing_have_no_groups():
    theirs = pd.DataFrame({"key": pd.array([None] * 4, "str"), "x": [1.0, 2.0, 3.0, 4.0]})
    assert_same(from_pandas(theirs, 2).groupby("key").x.sum(), theirs.groupby("key").x.sum())
    assert_same(from_pandas(theirs, 2).groupby("key").x.transform("sum"), theirs.groupby("key").x.transform("sum"))
    assert_same(from_pandas(theirs[:0], 1).groupby("key").x.mean(), theirs[:0].groupby("key").x.mean())


def test_mistakes_are_told_at_the_call_as_pandas_tells_them():
    ours = from_pandas(many())
    with pytest.raises(KeyError, match="nothing"):
        ours.groupby("nothing")
    with pytest.raises(KeyError, match="nothing"):
        ours.groupby("key")["nothing"]
    with pytest.raises(KeyError, match="nothing"):
        ours.groupby("key").agg({"nothing": "sum"})
    with pytest.raises(TypeError):
        ours.groupby("key").mean()
    with pytest.raises(TypeError):
        ours.groupby()
    with pytest.raises(AttributeError, match="frobnicate"):
        ours.groupby("key").agg("frobnicate")
    with pytest.raises(AttributeError, match="nothing"):
        _ = ours.groupby("key").nothing
    with pytest.raises(TypeError, match="unhashable"):
        from_pandas(pd.DataFrame({"key": [[1], [2]], "x": [1, 2]}), 1).groupby("key").x.sum().compute()


@pytest.mark.parametrize("keys", ["key", ["key", "other"]])
@pytest.mark.parametrize("name", ["describe", "value_counts"])
def test_keys_are_columns_where_they_are_not_to_be_the_index(keys, name):
    theirs = pd.DataFrame({"key": [2, 1, 2, 1, 1], "other": list("aabba"), "x": [1.0, 1.0, 1.0, 2.5, 2.5]})
    ours = rd.from_pandas(theirs, npartitions=3).groupby(keys, as_index=False)
    assert_same(getattr(ours["x"], name)(), getattr(theirs.groupby(keys, as_index=False)["x"], name)())
    if name == "describe":
        assert_same(ours[["x"]].describe(), theirs.groupby(keys, as_index=False)[["x"]].describe())


@few
@given(grouped(FRAME), st.sampled_from(["key", ["other", "key"]]), st.booleans(), st.booleans())
def test_several_quantiles_are_a_further_level(case, by, sort, dropna):
    ours, theirs = (frame.groupby(by, sort=sort, dropna=dropna) for frame in (case.ours, case.theirs))
    if len(theirs.size()):
        assert_same(ours.x.quantile([0.25, 0.9]), theirs.x.quantile([0.25, 0.9]))
        assert_same(ours[["x", "n"]].quantile([0.5]), theirs[["x", "n"]].quantile([0.5]))


@few
@given(frames_of(FRAME, min_rows=1, index=["datetime"]))
def test_groups_by_what_is_made_of_the_index(theirs):
    ours = from_pandas(theirs)
    for key in (lambda frame: frame.index, lambda frame: frame.index.day, lambda frame: [frame.index.month, "other"]):
        assert_same(ours.groupby(key(ours)).n.sum(), theirs.groupby(key(theirs)).n.sum())
    with pytest.raises(ValueError, match="same length"):
        ours.groupby(ours[ours.n > 0].index)


@few
@given(partitioned(frames_of({"key": "int8", "x": "finite", "n": "int64", "s": "str"}, min_rows=1)), st.booleans())
def test_filtered_groups_may_be_missing_instead(case, none):
    def chosen(group):
        return not none and len(group) > 1

    assert_same(
        case.ours.groupby("key").filter(chosen, dropna=False), case.theirs.groupby("key").filter(chosen, dropna=False)
    )
    assert_same(
        case.ours.groupby("key").n.filter(chosen, dropna=False), case.theirs.groupby("key").n.filter(chosen, False)
    )


def test_series_of_each_group_are_one_below_the_other_wherever_the_groups_are():
    frame = pd.DataFrame({"k": list("abacbdde"), "x": range(8)})
    for n in (1, 2, 5):
        ours = from_pandas(frame, n).groupby("k").apply(lambda group: group.x)
        assert_same(ours, frame.groupby("k").apply(lambda group: group.x))


@few
@given(grouped(FRAME), st.sampled_from(["key", ["other", "key"]]), st.booleans(), st.integers(0, 3))
def test_the_greatest_and_least_of_each_group(case, by, dropna, n):
    ours, theirs = (frame.groupby(by, dropna=dropna) for frame in (case.ours, case.theirs))
    assert len(ours) == ours.ngroups == len(theirs)
    if len(theirs):
        assert_same(ours.n.nlargest(n), theirs.n.nlargest(n))
        assert_same(ours.x.nsmallest(n, keep="last"), theirs.x.nsmallest(n, keep="last"))
