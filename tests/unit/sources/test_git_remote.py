from pathlib import Path

import pytest

from taxiway.errors import InvalidOption
from taxiway.sources.git_remote import Remote, Transport, github_url


@pytest.mark.parametrize(
    ("address", "transport", "host"),
    [
        ("git@github.com:acme/shop-db.git", Transport.SSH, "github.com"),
        ("github.com:acme/shop-db.git", Transport.SSH, "github.com"),
        ("[git.example.com:2222]:shop-db.git", Transport.SSH, "git.example.com:2222"),
        ("git@[::1]:shop-db.git", Transport.SSH, "::1"),
        ("ssh://git@git.example.com:2222/shop-db.git", Transport.SSH, "git.example.com:2222"),
        ("ssh://git.example.com/shop-db.git", Transport.SSH, "git.example.com"),
        ("https://github.com/acme/shop-db.git", Transport.HTTPS, "github.com"),
        ("file:///srv/shop-db.git", Transport.FILE, ""),
    ],
)
def test_an_address_that_git_understands_is_passed_on_as_it_is(
    address: str, transport: Transport, host: str
) -> None:
    assert Remote.parse(address) == Remote(transport, address, address, host)


@pytest.mark.parametrize("path", ["/srv/shop db.git", "../shop-db", "./with:colon", "100%"])
def test_a_path_becomes_a_url_because_only_urls_are_cloned_shallow(path: str) -> None:
    remote = Remote.parse(path)
    assert remote.transport is Transport.FILE
    assert remote.url == Path(path).absolute().as_uri()
    assert remote.display == path


@pytest.mark.parametrize(
    "address",
    [
        "https://token@github.com/acme/shop-db.git",
        "https://user:token@github.com/acme/shop-db.git",
        "https://user:token@sub@github.com/acme/shop-db.git",
        "ssh://git:token@github.com/acme/shop-db.git",
        "git:token@github.com:acme/shop-db.git",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_shown(address: str) -> None:
    with pytest.raises(InvalidOption, match=r"\*\*\*\*@.*github\.com.* contains credentials") as caught:
        Remote.parse(address)
    assert "token" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "address",
    [
        *("ext::sh -c touch% x", "fd::17", "http://github.com/a/b.git", "git://github.com/a/b.git", "ftp://h/p"),
        *(
            "",
            "--upload-pack=touch",
            "-oProxyCommand=x:y",
            "git@host:a\nb",
            "https://h:port/x",
            "transport::address",
        ),
    ],
)
def test_other_transports_options_and_nonsense_are_refused(address: str) -> None:
    with pytest.raises(InvalidOption):
        Remote.parse(address)


@pytest.mark.parametrize(
    "address", ["http://user:token@h/p", "ext::ssh://user:token@h", "https://u:token@h:port/", "-x://u:token@h"]
)
def test_refused_addresses_do_not_show_their_credentials_either(address: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        Remote.parse(address)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize("path", ["shop-db", "shop-db.git"])
def test_the_address_on_github_is_made_of_owner_and_path(path: str) -> None:
    assert github_url("acme", path) == "git@github.com:acme/shop-db.git"


@pytest.mark.parametrize(
    ("owner", "path"),
    [
        ("", "x"),
        ("acme", ""),
        ("-acme", "x"),
        ("acme", "-x"),
        ("a b", "x"),
        ("a/b", "x"),
        ("acme", ".."),
        ("a", "x\n"),
    ],
)
def test_what_github_cannot_have_is_refused(owner: str, path: str) -> None:
    with pytest.raises(InvalidOption, match="on GitHub") as caught:
        github_url(owner, path)
    assert "REPOSITORY_OWNER" in str(caught.value.hint)
