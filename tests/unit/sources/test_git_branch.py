import pytest

from taxiway.errors import InvalidOption
from taxiway.sources.git_branch import check_branch_name


@pytest.mark.parametrize(
    "name", ["main", "develop", "feature/prices", "a.b", "1", "x-", "über", "user@host", "x{y}", "heads"]
)
def test_ordinary_names_are_accepted(name: str) -> None:
    check_branch_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "-x",
            "--upload-pack=touch",
            "a b",
            "a\tb",
            "a\nb",
            "a..b",
            "a~1",
            "a^",
            "a:b",
            "a?",
            "a*",
            "a[b",
            "a\\b",
        ),
        *("/a", "a/", "a//b", ".a", "a/.b", "a.", "a.lock", "a.lock/b", "a@{1}", "@", "HEAD", "\x7f"),
    ],
)
def test_names_that_git_forbids_are_refused(name: str) -> None:
    with pytest.raises(InvalidOption, match="cannot be the name of a Git branch"):
        check_branch_name(name)


def test_an_empty_name_is_not_the_default_branch() -> None:
    with pytest.raises(InvalidOption, match="is empty"):
        check_branch_name("")
