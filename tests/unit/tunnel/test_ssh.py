"""Addresses and keys of bastions, and what ssh's words mean."""

import pytest

from taxiway import errors
from taxiway.model.tunnel import Bastion
from taxiway.tunnel.ssh import parse_bastion, parse_host_key
from taxiway.tunnel.ssh_errors import explain

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("bastion", None, "bastion", None),
        ("ec2-user@bastion.example.com", "ec2-user", "bastion.example.com", None),
        ("ec2-user@bastion:2222", "ec2-user", "bastion", 2222),
        ("ec2-user@[2001:db8::1]:22", "ec2-user", "2001:db8::1", 22),
        ("[2001:db8::1]", None, "2001:db8::1", None),
    ],
)
def test_addresses(text: str, user: str | None, host: str, port: int | None) -> None:
    assert parse_bastion(text) == Bastion(host=host, user=user, port=port)


@pytest.mark.parametrize(
    "text", ["", "@host", "user@", "-oProxyCommand=x", "-l@host", "host:x", "host:0", "host:65536", "a b", "a;b"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(errors.InvalidOption):
        parse_bastion(text)


@pytest.mark.parametrize(
    "text", [KEY, f"{KEY} root@bastion", f"[bastion]:22 {KEY}", f"  bastion,10.0.0.1 {KEY}\n"]
)
def test_host_keys_in_every_form(text: str) -> None:
    assert parse_host_key(text) == KEY


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "SHA256:abc", "-----BEGIN OPENSSH PRIVATE KEY-----"])
def test_what_is_no_host_key(text: str) -> None:
    with pytest.raises(errors.InvalidOption):
        parse_host_key(text)


@pytest.mark.parametrize(
    ("stderr", "error"),
    [
        ("No ED25519 host key is known for taxiway-bastion and ...", errors.BastionHostKeyRejected),
        ("@@@\nHost key verification failed.", errors.BastionHostKeyRejected),
        ("u@h: Permission denied (publickey).", errors.BastionAuthRejected),
        ("channel 2: open failed: administratively prohibited: open failed", errors.BastionForwardRefused),
        ("channel 2: open failed: connect failed: Connection refused", errors.TunnelDatabaseUnreachable),
        ("ssh: Could not resolve hostname nowhere: Name or service not known", errors.BastionUnreachable),
        ("ssh: connect to host h port 22: Connection timed out", errors.BastionUnreachable),
        ("Timeout, server h not responding.", errors.BastionUnreachable),
        ("something new", errors.BastionFailed),
    ],
)
def test_the_words_of_ssh(stderr: str, error: type[errors.TunnelError]) -> None:
    raised = explain(stderr, bastion="u@h", destination="db:5432")
    assert type(raised) is error
    assert raised.hint
    assert stderr.splitlines()[-1] in raised.message


def test_only_printable_text_of_the_other_side_is_shown() -> None:
    raised = explain("\x1b[31mevil\x07", bastion="h", destination="db:5432")
    assert "\x1b" not in raised.message
    assert "\x07" not in raised.message
