"""A server of S3's protocol on this machine, for tests of what reads and writes by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def object_store(bucket: str) -> Iterator[dict[str, object]]:
    """Run one that has a bucket; what fsspec needs to reach it."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = {"endpoint_url": f"http://{host}:{port}"}
    options: dict[str, object] = {"key": "key", "secret": "secret", "client_kwargs": endpoint}
    s3fs.S3FileSystem(**options).mkdir(bucket)  # starts fsspec's thread, which lives as long as the process
    yield options
    server.stop()
