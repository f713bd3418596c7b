"""The plain calls and small helpers that stream-python's users know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from django_stream.client.api import ANYTHING, Api
from django_stream.client.config import USER_AGENT, Endpoints
from django_stream.client.exceptions import StreamApiException, ValidationError, error_from


class Shortcuts:
    """The part of the client for calls that have no method of their own."""

    api: Api
    endpoints: Endpoints

    def get(
        self, relative_url: str, signature: str | None = None, service_name: str = "api", **call: Any
    ) -> Any:
        """GET any path of the API; `params` are its query, `signature` is its token."""
        return self._request("GET", relative_url, signature, service_name, **call)

    def post(
        self, relative_url: str, signature: str | None = None, service_name: str = "api", **call: Any
    ) -> Any:
        """POST `data` to any path of the API."""
        return self._request("POST", relative_url, signature, service_name, **call)

    def put(
        self, relative_url: str, signature: str | None = None, service_name: str = "api", **call: Any
    ) -> Any:
        """PUT `data` to any path of the API."""
        return self._request("PUT", relative_url, signature, service_name, **call)

    def delete(
        self, relative_url: str, signature: str | None = None, service_name: str = "api", **call: Any
    ) -> Any:
        """DELETE any path of the API."""
        return self._request("DELETE", relative_url, signature, service_name, **call)

    def _request(
        self,
        method: str,
        relative_url: str,
        signature: str | None,
        service_name: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
    ) -> Any:
        body = (data or {}) if method in ("POST", "PUT") else data
        # A doubled slash, easily made when paths are put together, would be another path.
        path = relative_url.replace("//", "/")
        return self.api.call(
            method, path, signature or ANYTHING, query=params, body=body, service=service_name
        )

    def create_user_token(self, user_id: object, **extra_data: Any) -> str:
        """A token with which this user's browser or phone may call the API itself."""
        return self.api.tokens.encode({"user_id": user_id, **extra_data})

    def create_jwt_token(
        self, resource: str, action: str, feed_id: object = None, user_id: object = None, **params: Any
    ) -> str:
        """A server-side token with exactly these claims."""
        claims = {**params, "action": action, "resource": resource}
        if feed_id is not None:
            claims["feed_id"] = feed_id
        if user_id is not None:
            claims["user_id"] = user_id
        return self.api.tokens.encode(claims)

    def raise_exception(self, result: Mapping[str, Any] | None, status_code: int) -> NoReturn:
        """Raise what an error envelope stands for."""
        if result is None:
            raise StreamApiException(f"the API answered with status {status_code}", status_code)
        raise error_from(result, status_code)

    def get_default_params(self) -> dict[str, str]:
        """The query that every request has."""
        return {"api_key": self.api.api_key}

    def get_default_header(self) -> dict[str, str]:
        """The headers that every request has, beside its token."""
        return {"Content-Type": "application/json", "X-Stream-Client": self.get_user_agent()}

    def get_user_agent(self) -> str:
        """What the `X-Stream-Client` header says."""
        return USER_AGENT

    def get_full_url(self, service_name: str | None = None, relative_url: str | None = None) -> str:
        """The URL of a path; the service may be left out and is the API then."""
        if relative_url is None:
            service_name, relative_url = None, service_name
        if relative_url is None:
            raise ValidationError("relative_url must be given", "relative_url")
        return self.endpoints.base(service_name or "api") + relative_url.replace("//", "/").lstrip("/")
