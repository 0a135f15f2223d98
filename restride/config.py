"""Settings: from defaults, yaml files, ``RESTRIDE_*`` environment variables and `set`, each overriding the one before.

The engine does not look settings up as it goes: `Settings.current` reads all of them once into a frozen object, and
that is what gets passed around. Every setting is described in ``docs/configuration.md``.
"""

from __future__ import annotations

import difflib
import functools
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import donfig


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, read and checked once; made by `Settings.current`."""

    threads: int | None
    """Compute threads of an embedded client; None for one a core."""
    horizon: float
    """How far ahead of the workers tasks are placed, in seconds of estimated work."""
    progress: bool
    """Whether long computations show a progress bar in a terminal or notebook."""
    progress_after: float
    """Seconds a computation takes before its progress bar appears."""
    validate: bool
    """Whether the state machines check their invariants after every batch (slow; for tests)."""
    array_chunk_size: int
    """Bytes of a chunk where ``chunks="auto"`` asks for a size."""
    heartbeat: float
    """Seconds between signs of life of workers and nannies."""
    heartbeat_timeout: float
    """Seconds after which a worker of which nothing is heard, and for which no nanny vouches, counts as lost."""
    comm_connect_timeout: float
    """Seconds to wait for a connection."""
    comm_handshake_timeout: float
    """Seconds that whoever connects has to prove that it knows the secret."""
    comm_reconnect_timeout: float
    """Seconds that a session waits for a new connection in place of a broken one."""
    comm_max_message: int
    """Bytes of a message between processes at most."""
    comm_delay: float
    """Seconds added on purpose to the way of each message."""
    comm_jitter: float
    """Seconds, at random between none and so many, added on top."""
    comm_break_every: float
    """Mean number of messages between connections broken on purpose; 0 for none."""
    comm_seed: int | None
    """What jitter and breaks on purpose are drawn from; None for another one each time."""

    @classmethod
    def current(cls) -> Settings:
        """Read the settings as they stand now.

        Raises
        ------
        ValueError
            A setting has an impossible value; the message names the setting and where the value came from.

        Examples
        --------
        >>> import restride as rs
        >>> with rs.config.set({"array.chunk_size": "1 MiB"}):
        ...     rs.config.Settings.current().array_chunk_size
        1048576
        """
        return cls(**{key.replace(".", "_"): _checked(key, get(key), _source) for key in _SETTINGS})


def get(key: str) -> Any:
    """Look up the value of one setting, as it was written: ``"128 MiB"``, not its number of bytes.

    Parameters
    ----------
    key : str
        Name of the setting, with a dot between section and name: ``"array.chunk_size"``.

    Raises
    ------
    ValueError
        There is no such setting.

    Examples
    --------
    >>> import restride as rs
    >>> rs.config.get("horizon")
    0.2
    """
    key = _known(key)
    try:
        return _store().get(key)
    except (KeyError, TypeError):
        section = key.split(".")[0]
        raise ValueError(f"{section!r} is a section of settings such as {key!r}, not a setting itself") from None


def set(values: Mapping[str, Any] | None = None, /, **kwargs: Any) -> AbstractContextManager[Any]:  # noqa: A001
    """Change settings, for the whole process: from now on, or within a ``with`` block.

    Parameters
    ----------
    values : mapping of str to value, optional
        Names and values: ``{"array.chunk_size": "64 MiB"}``.
    **kwargs
        The same as keywords, with two underscores for the dot: ``array__chunk_size="64 MiB"``.

    Raises
    ------
    ValueError
        A setting that does not exist, or an impossible value; nothing is changed then.

    Examples
    --------
    >>> import restride as rs
    >>> with rs.config.set(threads=2):
    ...     rs.config.get("threads")
    2
    """
    named = {**(values or {}), **{key.replace("__", "."): value for key, value in kwargs.items()}}
    named = {_known(key): value for key, value in named.items()}
    for key, value in named.items():
        _checked(key, value, lambda key: "restride.config.set")
    change: AbstractContextManager[Any] = _store().set(named)
    return change


def refresh() -> None:
    """Read the yaml files and the environment again, and forget what `set` changed."""
    _store.cache_clear()


def parse_bytes(size: int | float | str) -> int:
    """Parse a number of bytes.

    Parameters
    ----------
    size : int, float or str
        A number, or a text such as ``"128 MiB"``, ``"1.5GB"`` or ``"64k"``. Binary units (KiB, MiB, ...) are powers of
        1024, decimal ones (kB, MB, ..., and bare k, M, ...) powers of 1000. Case does not matter.

    Raises
    ------
    ValueError
        The text is no size.

    Examples
    --------
    >>> parse_bytes("128 MiB"), parse_bytes("1.5 kB"), parse_bytes(100)
    (134217728, 1500, 100)
    """
    match = None if isinstance(size, bool) else _SIZE.fullmatch(str(size).lower())
    if match is None:
        raise ValueError(f"{size!r} is not a number of bytes such as 100_000, '64 kB' or '128 MiB'")
    number, prefix, binary = match.groups()
    return int(Decimal(number) * (1024 if binary else 1000) ** "_kmgtp".index(prefix or "_"))


def _count(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError("must be a whole number from 1, or None for one a core")


def _seconds(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    raise ValueError("must be a number of seconds from 0")


def _mean_count(value: Any) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and (value == 0 or 1 <= value < float("inf")):
        return float(value)
    raise ValueError("must be a number of messages from 1, or 0 for never")


def _seed(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError("must be a whole number, or None")


def _flag(value: Any) -> bool:
    word = str(value).lower()
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise ValueError("must be true or false")


def _size(value: Any) -> int:
    size = parse_bytes(value)
    if size < 1:
        raise ValueError("must be at least one byte")
    return size


_SETTINGS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "threads": (None, _count),
    "horizon": (0.2, _seconds),
    "progress": (True, _flag),
    "progress_after": (1.0, _seconds),
    "validate": (False, _flag),
    "array.chunk_size": ("128 MiB", _size),
    "heartbeat": (1.0, _seconds),
    "heartbeat_timeout": (30.0, _seconds),
    "comm.connect_timeout": (10.0, _seconds),
    "comm.handshake_timeout": (10.0, _seconds),
    "comm.reconnect_timeout": (30.0, _seconds),
    "comm.max_message": ("16 GiB", _size),
    "comm.delay": (0.0, _seconds),
    "comm.jitter": (0.0, _seconds),
    "comm.break_every": (0, _mean_count),
    "comm.seed": (None, _seed),
}
"""Name of a setting -> its default, and the function that checks and converts a value."""

_SIZE = re.compile(r"\s*((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,2})?)\s*(?:([kmgtp])(i)?)?b?\s*")

# What donfig itself reads from the environment, and what proves that processes belong together.
_NOT_SETTINGS = ("config", "root_config", "internal_inherit_config", "secret", "secret_file")


def _checked(key: str, value: Any, source: Callable[[str], str]) -> Any:
    try:
        return _SETTINGS[key][1](value)
    except ValueError as error:
        raise ValueError(f"setting {key!r} is {value!r} (from {source(key)}): {error}") from None


def _known(key: str) -> str:
    name = key.replace("-", "_")
    if name not in _SETTINGS:
        raise ValueError(f"there is no setting {key!r}; {_suggestion(name)}")
    return name


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name, _SETTINGS, n=3)
    return f"did you mean {' or '.join(map(repr, close))}?" if close else f"there are {', '.join(_SETTINGS)}"


@functools.cache
def _store() -> donfig.Config:
    import donfig  # with yaml 25 ms, so on first use

    defaults: dict[str, Any] = {}
    for key, (default, _) in _SETTINGS.items():
        section, _, name = key.rpartition(".")
        (defaults.setdefault(section, {}) if section else defaults)[name] = default
    store = donfig.Config("restride", defaults=[defaults])
    for key in _leaves(store.collect()):
        if key not in _SETTINGS and key not in _NOT_SETTINGS:
            warnings.warn(f"ignoring {key!r} in yaml files or RESTRIDE_* variables; {_suggestion(key)}", stacklevel=2)
    return store


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of all values of a nested mapping."""
    names = []
    for key, value in tree.items():
        name = prefix + str(key).replace("-", "_")
        names += _leaves(value, name + ".") if isinstance(value, Mapping) else [name]
    return names


def _source(key: str) -> str:
    """Where the value of a setting came from; `set` takes only what passes, so it is no candidate."""
    variable = "RESTRIDE_" + key.upper().replace(".", "__")
    if variable in _store().env:
        return f"the environment variable {variable}"
    from donfig.config_obj import collect_yaml

    store = _store()
    files = [path for path in store.paths if key in {name for tree in collect_yaml([path]) for name in _leaves(tree)}]
    return f"yaml files in {files[-1]}" if files else "its default"
