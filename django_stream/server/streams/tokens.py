"""Where consumers of App.net and pnut put their token, besides the header."""

from __future__ import annotations

from typing import Any


def access_token(method: str | None, query: dict[str, list[str]], body: Any) -> str:
    """The token in the query or in the body, from which it is taken out.

    A body counts for POST and PUT only: of a DELETE, some proxies drop it.
    """
    if given := query.pop("access_token", None):
        return given[-1]
    if method in ("POST", "PUT") and isinstance(body, dict):
        token = body.pop("access_token", "")
        return token if isinstance(token, str) else ""
    return ""
