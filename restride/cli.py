"""The command ``restride``: processes of a cluster that lives longer than a script, one machine or many."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

import restride
from restride.engine.distributed.logs import LEVELS
from restride.errors import RestrideError

P = ParamSpec("P")
R = TypeVar("R")

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


def main(args: Sequence[str] | None = None, prog_name: str = "restride") -> None:
    """Run the command, and end the process with its exit code."""
    command(args=args, prog_name=prog_name)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(restride.__version__, "--version", message="restride %(version)s")
def command() -> None:
    """Start and inspect restride clusters.

    A cluster is one scheduler and any number of workers, on one machine or many. Its processes and those who use it
    share a secret, which `restride scheduler` writes to ~/.config/restride/secret where there is none.

    \b
    On one machine:
      restride scheduler                          # shows its address: tcp://127.0.0.1:8786
      restride worker tcp://127.0.0.1:8786        # in another terminal: one worker a core
      >>> client = restride.Client("tcp://127.0.0.1:8786")

    A cluster that shall be gone with the script needs none of this: restride.Client("processes").
    """


_SECRET_FILE = click.option(
    "--secret-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File of the shared secret, readable by its owner alone. Default: the variable RESTRIDE_SECRET, the file "
    "named by RESTRIDE_SECRET_FILE, ~/.config/restride/secret.",
)
_TLS = click.option(
    "--tls",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Encrypt, with the certificates in this directory (see `restride security create`); addresses begin with "
    "tls:// then.",
)
_LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    default="info",
    show_default=True,
    help="What to log, to standard error.",
)


def _errors_in_words(function: Callable[P, R]) -> Callable[P, R]:
    """What the user can do something about is a line on standard error and exit code 1, not a traceback."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (RestrideError, OSError, ValueError, ImportError) as error:
            raise click.ClickException(str(error)) from error

    return call


# ---- restride scheduler


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8786, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@_SECRET_FILE
@_TLS
@_LOG_LEVEL
@_errors_in_words
def scheduler(host: str, port: int, secret_file: Path | None, tls: Path | None, log_level: str) -> None:
    """Start a scheduler, and show its address.

    It runs until Ctrl-C or SIGTERM, and its workers end with it. It listens on this machine alone unless --host says
    otherwise.

    \b
    Examples:
      restride scheduler
      restride scheduler --host 0.0.0.0 --tls ~/certificates    # for other machines, encrypted
    """
    from restride.config import Settings
    from restride.engine.distributed.logs import log_to_stderr
    from restride.engine.distributed.process import run_until_told
    from restride.engine.distributed.scheduler_server import SchedulerServer
    from restride.engine.wire.security import Security

    log_to_stderr(log_level)
    security = Security.load(secret_file=secret_file, tls=tls, create=True)
    _warn_if_readable(host, tls)
    address = _address("tcp" if tls is None else "tls", host, port)

    async def run() -> None:
        server = SchedulerServer([address], security, Settings.current())
        await run_until_told(server, lambda: click.echo(server.addresses[0]), signals=INTERRUPTS)

    asyncio.run(run())


# ---- restride worker


def _resources(context: click.Context, parameter: click.Parameter, texts: Sequence[str]) -> dict[str, float]:
    resources = {}
    for item in [item for text in texts for item in text.split(",")]:
        name, _, amount = item.partition("=")
        try:
            resources[name.strip()] = float(amount)
        except ValueError:
            raise click.BadParameter(f"{item!r} is not of the form NAME=AMOUNT, such as GPU=1") from None
    return resources


@command.command()
@click.argument("address")
@click.option("--workers", type=click.IntRange(1), help="Worker processes. Default: as many as make one thread a core.")
@click.option("--threads", type=click.IntRange(0), help="Compute threads of each. Default: 1.")
@click.option(
    "--memory-limit",
    default="auto",
    show_default=True,
    metavar="SIZE",
    help="Memory of each, such as 4GiB; 'auto' is an equal share of the machine's, 'none' no limit.",
)
@click.option("--name", help="What the workers' names begin with. Default: the host's name and the process's id.")
@click.option(
    "--host",
    help="Interface on which the workers serve each other and clients. Default: the one that leads to the scheduler.",
)
@click.option(
    "--resources",
    multiple=True,
    callback=_resources,
    metavar="NAME=AMOUNT",
    help="What each worker has of things that tasks can ask for. Can be given several times.",
)
@_SECRET_FILE
@_TLS
@_LOG_LEVEL
@_errors_in_words
def worker(
    address: str,
    workers: int | None,
    threads: int | None,
    memory_limit: str,
    name: str | None,
    host: str | None,
    resources: Mapping[str, float],
    secret_file: Path | None,
    tls: Path | None,
    log_level: str,
) -> None:
    """Start workers for the scheduler at ADDRESS.

    They wait for a scheduler that starts later, and others take the place of those that die. They run until the
    scheduler ends, Ctrl-C or SIGTERM.

    \b
    Examples:
      restride worker tcp://127.0.0.1:8786
      restride worker tls://node0:8786 --tls ~/certificates --workers 4 --threads 2 --memory-limit 8GiB
      restride worker tcp://127.0.0.1:8786 --workers 1 --resources GPU=1
    """
    from restride.config import Settings
    from restride.engine.distributed.common import Common
    from restride.engine.distributed.fork_server import ForkServer
    from restride.engine.distributed.local import check_resources, memory_share, shape
    from restride.engine.distributed.logs import log_to_stderr
    from restride.engine.distributed.nanny import Nanny, WorkerOptions
    from restride.engine.distributed.process import run_until_told
    from restride.engine.wire.address import parse_address
    from restride.engine.wire.security import Security

    log_to_stderr(log_level)
    scheduler = parse_address(address)
    if (scheduler.scheme, tls is None) == ("tcp", False):
        raise ValueError(f"{address} and --tls do not go together: encrypted addresses begin with tls://")
    if (scheduler.scheme, tls is None) == ("tls", True):
        raise ValueError(f"{address} needs --tls, and the directory of the certificates")
    check_resources(resources)
    here = scheduler.scheme == "unix" or _is_loopback(scheduler.host)
    # On the scheduler's own machine it does not matter which of the two is started first.
    security = Security.load(secret_file=secret_file, tls=tls, create=here)
    count, threads = shape(workers, threads)
    host = host or ("127.0.0.1" if here else _way_to(scheduler.host, scheduler.port))
    _warn_if_readable(host, tls)
    options = WorkerOptions(
        threads=threads,
        memory_limit=memory_share(None if memory_limit.lower() == "none" else memory_limit, count),
        resources=resources,
        listen=[_address("tcp" if tls is None else "tls", host, 0)],
    )
    name = name or f"{socket.gethostname()}-{os.getpid()}"

    async def run() -> None:
        common = Common(security, Settings.current(), log_level)
        nanny = Nanny(address, ForkServer.launch(), options, common, name=name, prefix=f"{name}-")
        nanny.scale(count)
        await run_until_told(nanny, signals=INTERRUPTS)

    asyncio.run(run())


# ---- restride info


@command.command()
@click.argument("address")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds to wait for the scheduler.")
@_SECRET_FILE
@_TLS
@_errors_in_words
def info(address: str, timeout: float, secret_file: Path | None, tls: Path | None) -> None:
    """Show the workers of the cluster whose scheduler is at ADDRESS.

    \b
    Example:
      restride info tcp://127.0.0.1:8786
    """
    from restride.engine.client.client import Client
    from restride.engine.wire.security import Security

    security = Security.load(secret_file=secret_file, tls=tls)
    with Client(address, security=security, timeout=timeout) as client:
        click.echo(repr(client.info()))


# ---- restride security


@command.group()
def security() -> None:
    """Make what proves that processes belong together."""


@security.command()
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@_SECRET_FILE
@_errors_in_words
def create(directory: Path | None, secret_file: Path | None) -> None:
    """Make a shared secret where there is none, and certificates for TLS in DIRECTORY if that is given.

    Copy both to every machine of the cluster, and keep them readable by their owner alone.

    \b
    Examples:
      restride security create
      restride security create ~/certificates
    """
    from restride.engine.wire.certificates import create_certificates
    from restride.engine.wire.security import DEFAULT_FILE, FILE_VARIABLE, SECRET_VARIABLE, Security

    Security.load(secret_file=secret_file, create=True)
    in_variable = secret_file is None and SECRET_VARIABLE in os.environ
    file = secret_file or os.environ.get(FILE_VARIABLE) or DEFAULT_FILE
    click.echo(f"The shared secret is in {f'the variable {SECRET_VARIABLE}' if in_variable else file}")
    if directory is not None:
        create_certificates(directory)
        click.echo(f"Certificates are in {directory}: use --tls {directory}")


# ---- addresses


def _address(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _way_to(host: str, port: int) -> str:
    """The address of this machine on the interface that leads to a host.

    Raises
    ------
    OSError
        The host is not known, or nothing leads to it.
    """
    try:
        family, kind, _, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind) as probe:
            probe.connect(target)  # of a datagram socket: nothing is sent
            address: Any = probe.getsockname()
            return str(address[0])
    except OSError as error:
        raise OSError(f"no way to the scheduler's host {host!r}: {error}; name an interface by --host") from error


def _warn_if_readable(host: str, tls: Path | None) -> None:
    if tls is None and not _is_loopback(host):
        click.echo(
            f"Warning: listening on {host} without TLS: whoever can read the network reads all data. "
            "Use --tls, or keep to networks that you trust.",
            err=True,
        )
