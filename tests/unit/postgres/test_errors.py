"""What libpq's words for a failed attempt come down to."""

import pytest

from taxiway.postgres.errors import translate_connect_error


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            'could not translate host name "shpo.example" to address: Name or service not known',
            "Check the name of the host (DB_HOST, host in [database], the URL), and whether it is known here.",
        ),
        (
            'connection to server at "10.0.0.1", port 5432 failed: Connection refused',
            "Check host, port, security group and whether the server is up; connectRetries waits for it.",
        ),
    ],
)
def test_a_name_that_nobody_knows_is_no_matter_of_port_and_security_group(words: str, hint: str) -> None:
    error = translate_connect_error(words, target="shpo.example:5432/shop", login=None)
    assert (error.code, error.hint) == ("connection-failed", hint)
