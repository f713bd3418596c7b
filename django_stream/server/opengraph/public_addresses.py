"""Which addresses of the network a page may be fetched from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from django_stream.protocol.errors import ApiError, invalid

Address = IPv4Address | IPv6Address

_SCHEMES = frozenset({"http", "https"})
# ISATAP interfaces carry an IPv4 address inside an IPv6 one of any network.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})


def is_public(address: Address) -> bool:
    """Whether the address is a host of the public internet, however it is written."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour or address.teredo or address.is_site_local or _carries_ipv4(address):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _carries_ipv4(address: IPv6Address) -> bool:
    """Deprecated forms: `::1.2.3.4`, and ISATAP."""
    bits = int(address)
    return bits >> 32 == 0 or bits >> 32 & 0xFFFFFFFF in _ISATAP


@dataclass(frozen=True, slots=True)
class Rules:
    """Where pages may come from. Whoever builds a fetcher may give it others."""

    allows: Callable[[Address], bool] = is_public
    ports: frozenset[int] = frozenset({80, 443})
    loopback: bool = False
    """Whether loopback addresses are shown to `allows` at all."""

    def check_url(self, url: str) -> SplitResult:
        """The parts of a URL that may be fetched; refuses every other one."""
        if any(character <= " " or character in "\\\x7f" for character in url):
            raise refused("holds a character that no URL has")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise refused("is malformed") from error
        if parts.scheme not in _SCHEMES:
            raise refused("must begin with http:// or https://")
        if "@" in parts.netloc:
            raise refused("must not carry a user name")
        if not parts.hostname:
            raise refused("names no host")
        if port is not None and port not in self.ports:
            raise refused("must use an ordinary port")
        return parts

    def check_host(self, host: str) -> None:
        """Refuse an address that a host's name led to."""
        if not self.allows(ip_address(host.strip("[]"))):
            raise refused("leads to an address that is not public")


def refused(reason: str) -> ApiError:
    """Why a URL is not fetched: without a word about what is behind it."""
    return invalid(f"the url {reason}", "url")
