"""Deploy keys at GitHub, through its REST API ("REST API endpoints for deploy keys", GitHub's documentation).

Three requests to one host: Python's own client is enough for them. It follows no redirect here, because it would
take the token along to wherever that leads.
"""

import json
import urllib.error
import urllib.request
from typing import Any, Final, final, override
from urllib.parse import urlsplit

from taxiway.errors import InvalidOption, KeyNotRegistered
from taxiway.model.deploy_key import Registration
from taxiway.secret import Secret

API_URL: Final = "https://api.github.com"
_SECONDS: Final = 20
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_RIGHT: Final = "Use a token that may administer the repository (fine-grained: Administration, read and write)."


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    @override
    def redirect_request(self, *_: Any) -> None:
        """None: the answer itself is the end."""


@final
class GithubKeys:
    """The deploy keys of one repository, ``owner/name``."""

    def __init__(self, repository: str, token: Secret, *, api_url: str = API_URL) -> None:
        """Nothing is asked yet.

        Raises:
            InvalidOption: The token would go over the network in clear.
        """
        parts = urlsplit(api_url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise InvalidOption(
                "The address of the GitHub API does not begin with https://.", hint="Correct GITHUB_API_URL."
            )
        self._repository, self._token = repository, token
        self._url = f"{api_url.rstrip('/')}/repos/{repository}/keys"
        self._opener = urllib.request.build_opener(_NoRedirect)

    def find(self, public: str) -> Registration | None:
        """The registration of a public half; ``None`` if the repository has none.

        Raises:
            KeyNotRegistered: GitHub refused, or could not be asked.
        """
        wanted = public.split()[:2]
        for page in range(1, _MOST_PAGES + 1):
            keys = self._ask("GET", f"{self._url}?per_page={_PAGE}&page={page}")
            for key in keys:
                if key["key"].split()[:2] == wanted:
                    return Registration(key["id"], is_read_only=key["read_only"])
            if len(keys) < _PAGE:
                return None
        return None

    def add(self, public: str, title: str) -> Registration:
        """Register a public half, for reading only.

        Raises:
            KeyNotRegistered: GitHub refused, or could not be asked.
        """
        key = self._ask("POST", self._url, {"title": title, "key": public, "read_only": True})
        return Registration(key["id"], is_read_only=key["read_only"], is_new=True)

    def remove(self, registration: Registration) -> None:
        """Take a registration back. Raises as :meth:`add`."""
        self._ask("DELETE", f"{self._url}/{registration.id}")

    def _ask(self, method: str, url: str, content: object = None) -> Any:  # noqa: ANN401 - JSON
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url,
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self._token.reveal()}",
                "Content-Type": "application/json",
                "User-Agent": "taxiway",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with self._opener.open(request, timeout=_SECONDS) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            # Not "from" the cause, which has the request with the token.
            raise self._refused(error.code, _message(error)) from None
        except OSError as error:
            reason = getattr(error, "reason", None) or error
            raise KeyNotRegistered(
                f"GitHub could not be reached: {reason}",
                hint="Check the network and GITHUB_API_URL.",
            ) from None
        try:
            return json.loads(text) if text else None
        except ValueError:
            raise KeyNotRegistered("What answered is not GitHub's API.", hint="Check GITHUB_API_URL.") from None

    def _refused(self, status: int, words: str) -> KeyNotRegistered:
        match status:
            case 401:
                reason, hint = "does not accept the token", "Make a new token, and give that one."
            case 403 | 429:
                reason, hint = "denied it, or asks to slow down", _RIGHT
            case 404:
                reason, hint = "shows this token no such repository", f"Check the name. {_RIGHT}"
            case 422:
                reason = "did not take the key"
                hint = "A key can belong to one repository only: make another one with --replace."
            case status if 300 <= status < 400:
                reason, hint = "says that the repository has moved", "Give its new name."
            case _:
                reason, hint = f"answered with {status}", "Try again later."
        return KeyNotRegistered(f"{self._repository}: GitHub {reason} ({words})", hint=hint)


def _message(error: urllib.error.HTTPError) -> str:
    try:
        content = json.loads(error.read(65_536))
        details = [one.get("message") or "" for one in content.get("errors") or () if isinstance(one, dict)]
        return "; ".join([str(content["message"]), *filter(None, details)])
    except (ValueError, KeyError, TypeError, AttributeError, OSError):
        return f"HTTP {error.code}"
