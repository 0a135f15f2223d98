"""Secrets and certificates: where they come from, and who may read them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restride.engine.wire.certificates import create_certificates
from restride.engine.wire.security import Security

SECRET = b"0123456789abcdef"


def secret_file(folder: Path, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(SECRET + b"\n")
    path.chmod(mode)
    return path


def test_a_secret_is_not_shown() -> None:
    assert "0123" not in repr(Security(SECRET))


def test_temporary_secrets_differ() -> None:
    assert Security.temporary().secret != Security.temporary().secret
    assert len(Security.temporary().secret) == 32


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="has 15 bytes; it should have 16 at least"):
        Security(SECRET[1:])


def test_the_environment_gives_the_secret_or_the_file(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    assert Security.load(environment={"RESTRIDE_SECRET_FILE": str(path)}).secret == SECRET
    assert (
        Security.load(environment={"RESTRIDE_SECRET": "f" * 16, "RESTRIDE_SECRET_FILE": str(path)}).secret == b"f" * 16
    )
    assert Security.load(secret_file=path, environment={"RESTRIDE_SECRET": "f" * 16}).secret == SECRET


def test_the_file_of_the_user_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"\.config/restride/secret does not exist, and RESTRIDE_SECRET is not"):
        Security.load(environment={})
    made = Security.load(environment={}, create=True)
    assert Security.load(environment={}) == made
    path = tmp_path / ".config" / "restride" / "secret"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [name.name for name in path.parent.iterdir()] == ["secret"]


def test_an_existing_secret_is_kept(tmp_path: Path) -> None:
    path = secret_file(tmp_path)
    assert Security.load(secret_file=path, create=True).secret == SECRET


def test_all_who_make_the_secret_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Security.load(secret_file=tmp_path / "new" / "secret", create=True), range(8)))
    assert len({security.secret for security in made}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_secret_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, mode)
    with pytest.raises(PermissionError, match=f"chmod 600 {path}"):
        Security.load(secret_file=path)


def test_a_secret_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = secret_file(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(PermissionError, match="belongs to another user"):
        Security.load(secret_file=path)


def test_certificates_are_private_and_not_overwritten(tmp_path: Path) -> None:
    create_certificates(tmp_path / "new", hosts=["10.0.0.1", "node.example"])
    files = sorted((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["ca.pem", "cert.pem", "key.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    with pytest.raises(FileExistsError, match=r"ca\.pem, cert\.pem, key\.pem already"):
        create_certificates(tmp_path / "new")
    security = Security(SECRET, tmp_path / "new")
    assert security.server_context() is security.server_context()
    assert security.client_context().get_ca_certs()


def test_missing_certificates_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"ca.pem is missing; 'restride security create"):
        Security(SECRET, tmp_path).server_context()
    with pytest.raises(FileNotFoundError, match=r"ca.pem is missing; 'restride security create"):
        Security.load(tls=tmp_path, environment={"RESTRIDE_SECRET": "f" * 16})
    with pytest.raises(ValueError, match="needs certificates"):
        Security(SECRET).client_context()
