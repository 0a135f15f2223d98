"""Versions of both ends are compared: some differences break pickles, others are worth a word."""

from __future__ import annotations

import warnings

import pytest

import restride as rs
from restride.engine.versions import check_versions, versions


def test_versions_of_this_process_go_together_with_themselves() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_versions(versions(), "worker")
    assert versions()["restride"] == rs.__version__


@pytest.mark.parametrize(("name", "version"), [("python", "2.7.18"), ("cloudpickle", "1.0.0"), ("restride", "0.0.1")])
def test_versions_that_break_pickles_are_refused_and_named(name: str, version: str) -> None:
    with pytest.raises(rs.VersionError, match=rf"worker 'a' .*{name} {versions()[name]} here, {version} there"):
        check_versions({**versions(), name: version}, "worker 'a'")


def test_other_differences_are_warned_of_once() -> None:
    theirs = {**versions(), "numpy": "1.0.0"}
    with pytest.warns(UserWarning, match=r"worker 'b' runs other versions .*numpy .* here, 1.0.0 there"):
        check_versions(theirs, "worker 'b'")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_versions(theirs, "worker 'b'")


def test_a_patch_of_python_or_a_library_that_is_missing_is_no_matter() -> None:
    major, minor, _ = versions()["python"].split(".")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_versions({"python": f"{major}.{minor}.99"}, "worker 'c'")
