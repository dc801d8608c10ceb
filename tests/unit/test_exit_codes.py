"""Each error ends the process with a number that says whether trying again makes sense."""

import pytest

from taxiway import errors, exit_codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ValidationFailed([]), 1),
        (errors.NonEmptySchema("x"), 1),
        (errors.UnknownPlaceholder("x"), 1),
        (errors.PermissionDenied("x"), 1),
        (errors.UnknownOption("x", origin="y"), 2),
        (errors.LocationNotFound("x"), 2),
        (errors.GitRefNotFound("x"), 2),
        (errors.GitHostKeyRejected("x"), 2),
        (errors.SecretMalformed("x"), 2),
        (errors.AwsAccessDenied("x", action="a", resource="r"), 2),
        (errors.AuthenticationFailed("x"), 2),
        (errors.GitUnreachable("x"), 4),
        (errors.AwsThrottled("x"), 4),
        (errors.ConnectionFailed("x"), 4),
        (errors.ConnectionLost("x"), 4),
        (errors.OutcomeUnknown("x"), 1),
        (errors.LockNotAcquired("t", waited_seconds=1), 4),
        (ZeroDivisionError(), 70),
    ],
)
def test_the_exit_code_follows_from_the_class(error: BaseException, code: int) -> None:
    assert exit_codes.exit_code_for(error) == code


def subclasses(cls: type[errors.TaxiwayError]) -> set[type[errors.TaxiwayError]]:
    return {cls}.union(*(subclasses(child) for child in cls.__subclasses__()))


def test_codes_are_unique_and_kebab_case() -> None:
    classes = subclasses(errors.TaxiwayError)
    codes = [cls.code for cls in classes]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("-", "").isalpha() and code.islower() for code in codes)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert [cls.__name__ for cls in subclasses(errors.TaxiwayError) if cls.__name__ not in drawn] == []
