"""Settings: where they come from, which wins, and what a mistake says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restride import config
from restride.config import Settings, parse_bytes

DOCUMENTATION = Path(config.__file__).parent.parent / "docs" / "configuration.md"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No settings but those that the test makes."""
    monkeypatch.delenv("RESTRIDE_VALIDATE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    config.refresh()
    yield
    monkeypatch.undo()
    config.refresh()


def yaml_file(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> Path:
    path = folder / "restride.yaml"
    path.write_text(text)
    monkeypatch.setenv("RESTRIDE_CONFIG", str(path))
    config.refresh()
    return path


def test_the_defaults_are_those_documented() -> None:
    documented = DOCUMENTATION.read_text()
    for name, (default, _) in config._SETTINGS.items():
        assert f"| `{name}` | `{default}` | `RESTRIDE_{name.upper().replace('.', '__')}` |" in documented


def test_settings_without_any_configuration_are_the_defaults() -> None:
    settings = Settings.current()
    assert (settings.threads, settings.horizon, settings.array_chunk_size) == (None, 0.2, 2**27)
    assert (settings.progress, settings.progress_after, settings.validate) == (True, 1.0, False)
    assert (settings.comm_connect_timeout, settings.comm_reconnect_timeout) == (10.0, 30.0)
    assert (settings.comm_delay, settings.comm_break_every, settings.comm_seed) == (0.0, 0.0, None)


def test_set_holds_within_its_block() -> None:
    with config.set(threads=3, array__chunk_size="1 MiB"):
        assert (Settings.current().threads, Settings.current().array_chunk_size) == (3, 2**20)
    assert (Settings.current().threads, Settings.current().array_chunk_size) == (None, 2**27)


def test_set_without_a_block_holds_until_refresh() -> None:
    config.set({"array.chunk_size": 1000})
    assert Settings.current().array_chunk_size == 1000
    config.refresh()
    assert Settings.current().array_chunk_size == 2**27


def test_set_overrides_the_environment_which_overrides_yaml(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    yaml_file(monkeypatch, tmp_path, "horizon: 1\nthreads: 1\nprogress: off\narray:\n  chunk-size: 1 kB\n")
    monkeypatch.setenv("RESTRIDE_HORIZON", "2")
    monkeypatch.setenv("RESTRIDE_THREADS", "2")
    config.refresh()
    with config.set(horizon=3):
        settings = Settings.current()
    assert (settings.horizon, settings.threads, settings.progress, settings.array_chunk_size) == (3.0, 2, False, 1000)


@pytest.mark.parametrize(("text", "flag"), [("1", True), ("true", True), ("on", True), ("0", False), ("False", False)])
def test_flags_are_read_from_the_usual_words(monkeypatch: pytest.MonkeyPatch, text: str, flag: bool) -> None:
    monkeypatch.setenv("RESTRIDE_VALIDATE", text)
    config.refresh()
    assert Settings.current().validate is flag


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", 0),
        ("threads", 1.5),
        ("threads", True),
        ("horizon", -1),
        ("horizon", "soon"),
        ("horizon", float("nan")),
        ("progress", "maybe"),
        ("array.chunk_size", 0),
        ("array.chunk_size", "large"),
        ("comm.break_every", 0.5),
        ("comm.break_every", "often"),
        ("comm.seed", 1.5),
    ],
)
def test_set_refuses_an_impossible_value_and_changes_nothing(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"setting '{name}' is .* \(from restride.config.set\)"):
        config.set({"progress_after": 7.0, name: value})
    assert Settings.current().progress_after == 1.0


def test_an_impossible_value_in_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTRIDE_ARRAY__CHUNK_SIZE", "large")
    config.refresh()
    with pytest.raises(
        ValueError, match=r"'array.chunk_size' is 'large' \(from the environment variable RESTRIDE_ARRAY__"
    ):
        Settings.current()


def test_an_impossible_value_in_a_yaml_file_is_named_by_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = yaml_file(monkeypatch, tmp_path, "array:\n  chunk-size: large\n")
    with pytest.raises(ValueError, match=f"'array.chunk_size' is 'large' .*{path.name}"):
        Settings.current()


def test_a_value_where_a_section_belongs_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    yaml_file(monkeypatch, tmp_path, "array: 5\n")
    with pytest.warns(UserWarning, match="ignoring 'array'"), pytest.raises(ValueError, match="'array' is a section"):
        Settings.current()


def test_an_unknown_setting_is_refused_with_those_that_come_close() -> None:
    with pytest.raises(ValueError, match=r"no setting 'array.chunksize'; did you mean 'array.chunk_size'\?"):
        config.set({"array.chunksize": 5})
    with pytest.raises(ValueError, match="no setting 'colour'; there are threads, horizon"):
        config.get("colour")


def test_an_unknown_setting_in_the_environment_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTRIDE_THREDS", "2")
    config.refresh()
    with pytest.warns(UserWarning, match="ignoring 'threds' .* did you mean 'threads'?"):
        assert Settings.current().threads is None


@given(
    number=st.integers(0, 2**40), unit=st.sampled_from([("", 1), ("B", 1), ("kB", 1000), ("KiB", 1024), ("g", 10**9)])
)
def test_a_size_is_its_number_times_its_unit(number: int, unit: tuple[str, int]) -> None:
    assert parse_bytes(f"{number} {unit[0]}") == parse_bytes(f" {number}{unit[0].upper()} ") == number * unit[1]


@pytest.mark.parametrize("size", ["", "MiB", "1.2.3 MB", "5 parsecs", "5 iB", "-1", "-1 kB", -1, True, None, "nan"])
def test_what_is_no_size_is_refused(size: object) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes"):
        parse_bytes(size)  # type: ignore[arg-type]
