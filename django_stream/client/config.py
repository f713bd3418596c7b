"""Where the API is and who calls it: hosts, locations, and the environment variables."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django_stream import __version__
from django_stream.client.exceptions import ValidationError
from django_stream.protocol.limits import API_VERSION

logger = logging.getLogger("django_stream.client")

DEFAULT_TIMEOUT = 3.0
USER_AGENT = f"django-stream-client-{__version__}"
HOSTED_DOMAIN = "stream-io-api.com"
# Hosts that a STREAM_URL may name without meaning a location.
_NO_LOCATION = frozenset({"api", "www", "getstream", "stream-io-api"})
_LOCAL_BASE = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The base URL of each service, such as `https://eu-west-api.stream-io-api.com/api/v1.0/`."""

    version: str = API_VERSION
    location: str | None = None
    base_url: str | None = None

    def __post_init__(self) -> None:
        if self.base_url is not None:
            parts = urlsplit(self.base_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValidationError(
                    "base_url must be an http(s) address such as https://feeds.example.com", "base_url"
                )
            if parts.username or parts.password:
                raise ValidationError(
                    "base_url must not hold credentials; use STREAM_URL for that form", "base_url"
                )
        if self.location and not self.location.replace("-", "").isalnum():
            raise ValidationError(f"location {self.location!r} is not a name such as 'us-east'", "location")

    def base(self, service: str = "api") -> str:
        return f"{self.without_version(service)}{self.version}/"

    def without_version(self, service: str = "api") -> str:
        return f"{self._root(service)}/{service}/"

    def _root(self, service: str) -> str:
        if self.base_url is not None:
            return self._own_root(self.base_url)
        if not self.location:
            return f"https://{service}.{HOSTED_DOMAIN}"
        # The analytics service is the one whose regional host is named by the region alone.
        host = self.location if service == "analytics" else f"{self.location}-{service}"
        return f"https://{host}.{HOSTED_DOMAIN}"

    def _own_root(self, base_url: str) -> str:
        parts = urlsplit(base_url)
        path = parts.path.rstrip("/").removesuffix(f"/{self.version}").removesuffix("/api")
        return f"{parts.scheme}://{parts.netloc}{path}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a STREAM_URL says."""

    api_key: str
    api_secret: str = field(repr=False)
    app_id: str | None = None
    location: str | None = None
    base_url: str | None = None


def parse_stream_url(url: str) -> Credentials:
    """Read `https://key:secret@[location.]stream-io-api.com/?app_id=1`.

    Any other host is taken for a server of one's own. The address is never repeated in errors.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _bad_stream_url("is not an address") from None
    app_id = parse_qs(parts.query).get("app_id", [""])[0]
    if parts.scheme != "https":
        raise _bad_stream_url("must begin with https://")
    if not (parts.username and parts.password and host and app_id.isdigit()):
        raise _bad_stream_url("lacks a part")
    key, secret = unquote(parts.username), unquote(parts.password)
    if host.endswith((HOSTED_DOMAIN, "getstream.io")):
        first = host.split(".")[0]
        location = None if first in _NO_LOCATION else first.removesuffix("-api")
        return Credentials(key, secret, app_id, location)
    netloc = f"{host}:{port}" if port else host
    return Credentials(key, secret, app_id, base_url=f"https://{netloc}{parts.path}")


def _is_url(key: object) -> bool:
    return isinstance(key, str) and key.startswith(("https://", "http://"))


def _bad_stream_url(why: str) -> ValidationError:
    return ValidationError(
        f"STREAM_URL {why}; its form is https://<key>:<secret>@<location>.{HOSTED_DOMAIN}/?app_id=<number>",
        "STREAM_URL",
    )


def from_environment(options: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Options completed by STREAM_URL, STREAM_REGION and LOCAL; what the caller gave wins.

    In place of the key there may be a whole STREAM_URL.
    """
    found = {name: value for name, value in options.items() if value is not None}
    url = environ.get("STREAM_URL")
    if _is_url(found.get("api_key")):
        url = found.pop("api_key")
    if not found.get("api_key") and url:
        said = parse_stream_url(url)
        for name in ("api_key", "api_secret", "app_id", "location", "base_url"):
            if (value := getattr(said, name)) is not None:
                found.setdefault(name, value)
    if region := environ.get("STREAM_REGION"):
        found.setdefault("location", region)
    if environ.get("LOCAL") and "base_url" not in found:
        logger.warning("the environment variable LOCAL sends all requests to %s", _LOCAL_BASE)
        found["base_url"] = _LOCAL_BASE
    return found
