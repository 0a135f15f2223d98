"""A secret with certificates, and an address of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from restride.engine.wire.certificates import create_certificates
from restride.engine.wire.security import Security
from tests.engine.wire.ends import address_of


@pytest.fixture(scope="session")
def security(tmp_path_factory: pytest.TempPathFactory) -> Security:
    folder = tmp_path_factory.mktemp("certificates")
    create_certificates(folder)
    return Security.temporary(folder)


@pytest.fixture(params=["unix", "tcp", "tls"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return address_of(request.param, tmp_path)


@pytest.fixture
def tcp() -> str:
    return "tcp://127.0.0.1:0"
