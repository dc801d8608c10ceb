"""Key pairs from the real ssh-keygen: what the halves are, and where the private one never is."""

import os
import subprocess
from pathlib import Path

import pytest

from taxiway import errors
from taxiway.model.deploy_key import KeyKind
from taxiway.secret import Secret
from taxiway.sources.key_pair import fingerprint, make_key_pair, read_public_half

# Writes down arguments, and every file that there is while the real program is at work.
_WRAPPER = """#!/bin/sh
printf '%s\\n' "$@" >> {record}
{program} "$@"
code=$?
for file in "$TMPDIR_OF_TEST"/*/*; do [ -f "$file" ] && cat "$file" >> {record}; done
exit $code
"""


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The record of a wrapper around ssh-keygen."""
    record, program = tmp_path / "record", tmp_path / "bin" / "ssh-keygen"
    program.parent.mkdir()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    real = subprocess.run(["which", "ssh-keygen"], capture_output=True, text=True, check=True).stdout.strip()
    text = _WRAPPER.format(record=record, program=real).replace("$TMPDIR_OF_TEST", str(scratch))
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    return record


@pytest.mark.parametrize(
    ("kind", "armour", "algorithm"),
    [
        (KeyKind.ED25519, "-----BEGIN OPENSSH PRIVATE KEY-----", "ssh-ed25519"),
        (KeyKind.RSA, "-----BEGIN RSA PRIVATE KEY-----", "ssh-rsa"),
    ],
)
def test_both_halves_belong_together_and_the_private_one_was_in_no_file(
    watched: Path, tmp_path: Path, kind: KeyKind, armour: str, algorithm: str
) -> None:
    pair = make_key_pair(kind, "a comment")
    private = pair.private.reveal()
    assert private.startswith(f"{armour}\n")
    assert pair.public.split(maxsplit=2)[::2] == [algorithm, "a comment"]
    assert read_public_half(pair.private).split()[:2] == pair.public.split()[:2]
    seen = watched.read_text()
    assert pair.public in seen  # so the record has the files
    assert not any(line in seen for line in private.splitlines() if not line.startswith("-----"))
    assert [*(tmp_path / "scratch").iterdir()] == []


def test_two_pairs_are_not_the_same() -> None:
    assert make_key_pair(KeyKind.ED25519, "") != make_key_pair(KeyKind.ED25519, "")


def test_the_fingerprint_is_that_of_openssh(tmp_path: Path) -> None:
    public = make_key_pair(KeyKind.ED25519, "c").public
    (tmp_path / "key.pub").write_text(public)
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
    ).stdout
    assert shown.split()[1] == fingerprint(public)


def test_a_key_as_people_store_it_is_read_all_the_same() -> None:
    pair = make_key_pair(KeyKind.ED25519, "")
    stored = Secret(pair.private.reveal().replace("\n", "\r\n").rstrip())
    assert read_public_half(stored).split()[:2] == pair.public.split()[:2]


def test_a_damaged_key_is_told_and_not_shown() -> None:
    lines = make_key_pair(KeyKind.ED25519, "").private.reveal().splitlines()
    lines[2] = lines[2][::-1]
    with pytest.raises(errors.SecretMalformed) as caught:
        read_public_half(Secret("\n".join(lines)))
    assert lines[2] not in str(caught.value)


def test_what_is_no_public_key_has_no_fingerprint() -> None:
    for text in ("", "ssh-ed25519", "ssh-ed25519 !!!"):
        with pytest.raises(errors.SecretMalformed):
            fingerprint(text)


def test_without_the_program_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = make_key_pair(KeyKind.ED25519, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (lambda: make_key_pair(KeyKind.ED25519, ""), lambda: read_public_half(pair.private)):
        with pytest.raises(errors.KeyPairFailed) as caught:
            call()
        assert "taxiway secrets put NAME --text" in str(caught.value.hint)


def test_a_program_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\necho 'no entropy' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(errors.KeyPairFailed, match="no entropy"):
        make_key_pair(KeyKind.ED25519, "")
