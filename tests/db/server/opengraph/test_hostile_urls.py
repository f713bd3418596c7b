"""A user's URL never makes the server read what is not public."""

import socket
import threading
import time
import zlib
from ipaddress import ip_address

import pytest
import requests

from django_stream.protocol.errors import ApiError
from django_stream.server.opengraph.fetching import fetch
from django_stream.server.opengraph.public_addresses import Rules, is_public
from tests.extras import needs

pytestmark = needs("opengraph")

MALFORMED = {
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:6379/_INFO",
    "ftp": "ftp://example.com/",
    "dict": "dict://127.0.0.1:11211/stats",
    "data": "data:text/html,<title>x</title>",
    "javascript": "javascript:alert(1)",
    "no scheme": "example.com",
    "scheme alone": "http://",
    "no host": "http:///etc/passwd",
    "user name": "http://example.com@127.0.0.1/",
    "user name and password": "http://a:b@example.com/",
    "empty user name": "http://@127.0.0.1/",
    "backslash": "http://example.com\\@127.0.0.1/",
    "line break": "http://example.com/\r\nHost: internal",
    "blank": "http://example.com /",
    "broken brackets": "http://[::1/",
    "port of ssh": "http://example.com:22/",
    "port of redis": "http://example.com:6379/",
    "port zero": "http://example.com:0/",
    "port too large": "http://example.com:99999/",
    "port no number": "http://example.com:http/",
}
NOT_PUBLIC = {
    "loopback": "http://127.0.0.1/",
    "all of 127/8": "http://127.8.9.10/",
    "short form": "http://127.1/",
    "decimal": "http://2130706433/",
    "hexadecimal": "http://0x7f000001/",
    "octal": "http://0177.0.0.1/",
    "mixed": "http://0x7f.0.1/",
    "zero": "http://0/",
    "unspecified": "http://0.0.0.0/",
    "localhost": "http://localhost/",
    "localhost with a dot": "http://localhost./",
    "private 10/8": "http://10.0.0.1/",
    "private 172.16/12": "https://172.16.5.4/",
    "private 192.168/16": "http://192.168.0.1/",
    "shared 100.64/10": "http://100.64.0.1/",
    "cloud metadata": "http://169.254.169.254/latest/meta-data/",
    "cloud metadata in decimal": "http://2852039166/",
    "benchmarking": "http://198.18.0.1/",
    "multicast": "http://224.0.0.1/",
    "reserved": "http://240.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    "fullwidth digits": "http://\uff11\uff12\uff17.0.0.1/",
    "IPv6 loopback": "http://[::1]/",
    "IPv6 unspecified": "http://[::]/",
    "IPv6 link-local": "http://[fe80::1]/",
    "IPv6 unique local": "http://[fd00::1]/",
    "IPv6 site-local": "http://[fec0::1]/",
    "IPv6 multicast": "http://[ff02::1]/",
    "IPv4-mapped": "http://[::ffff:127.0.0.1]/",
    "IPv4-mapped in hexadecimal": "http://[::ffff:a9fe:a9fe]/",
    "IPv4-compatible": "http://[::127.0.0.1]/",
    "6to4 of loopback": "http://[2002:7f00:1::]/",
    "NAT64 of loopback": "http://[64:ff9b::7f00:1]/",
    "Teredo": "http://[2001:0:53aa:64c::1]/",
    "documentation": "http://[2001:db8::1]/",
}
NOT_PUBLIC_DETAIL = "the url leads to an address that is not public"


def refusal(url: str, **options: object) -> ApiError:
    with pytest.raises(ApiError) as caught:
        fetch(url, **{"seconds": 5.0, "most": 100_000} | options)
    return caught.value


@pytest.mark.parametrize("url", MALFORMED.values(), ids=MALFORMED)
def test_urls_that_are_no_address_of_a_page_are_refused(url):
    error = refusal(url)
    assert (error.kind.name, list(error.fields)) == ("InputException", ["url"])
    assert error.detail.startswith("the url ")


@pytest.mark.parametrize("url", NOT_PUBLIC.values(), ids=NOT_PUBLIC)
def test_addresses_that_are_not_public_are_refused_however_they_are_written(url):
    error = refusal(url)
    # Some forms are no address at all to the resolver of the system: then there is nothing to read.
    assert error.kind.name == "InputException"
    assert error.detail in (NOT_PUBLIC_DETAIL, "couldn't find og data for the provided url")


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "169.254.169.254",
        "10.1.2.3",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "::127.0.0.1",
        "::ffff:10.0.0.1",
        "fec0::1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "2001:4860::5efe:7f00:1",
    ],
)
def test_what_is_not_public_is_known(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_what_is_public_is_known(text):
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::1]/",
        "//192.168.0.1/x",
        "http://2852039166/",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_to_an_address_that_is_not_public(web, target, status):
    error = refusal(web.moved("/", target, status), rules=web.rules())
    assert error.detail == NOT_PUBLIC_DETAIL
    assert web.asked == ["/"]


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "gopher://127.0.0.1/", "http://a@example.com/", "http://127.0.0.1:1/"]
)
def test_every_hop_is_checked_as_the_first(web, target):
    error = refusal(web.moved("/", target), rules=web.rules())
    assert list(error.fields) == ["url"]
    assert web.asked == ["/"]


def test_a_name_that_changes_its_address_gains_nothing(monkeypatch):
    answers = ["93.184.216.34", "127.0.0.1", "10.0.0.1"]
    connected = []

    def resolve(host, port, *_, **__):
        address = answers.pop(0) if not ip(host) else host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 80))]

    def connect(self, address):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    refusal("http://rebinding.example/")
    # The address that was checked is the one connected to; the name is not asked again.
    assert connected == [("93.184.216.34", 80)]
    assert refusal("http://rebinding.example/").detail == NOT_PUBLIC_DETAIL
    assert len(connected) == 1


def ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def test_redirects_end(web):
    web.moved("/a", "/b")
    web.moved("/b", "/a")
    assert refusal(web.url("/a"), rules=web.rules()).detail == "couldn't find og data for the provided url"
    assert len(web.asked) == 6


def test_no_more_than_the_limit_is_read(web):
    url = web.html("/", b"<html><head>" + b"<meta name='a' content='b'>" * 100_000)
    assert len(fetch(url, seconds=5.0, most=50_000, rules=web.rules()).head) == 50_000


def test_a_packed_bomb_unpacks_no_further_than_the_limit(web):
    bomb = zlib.compress(b"<p>" * 30_000_000)
    url = web.html("/", bomb, Content_Encoding="deflate")
    assert len(fetch(url, seconds=5.0, most=50_000, rules=web.rules()).head) == 50_000


@pytest.mark.parametrize("content_type", ["image/png", "application/pdf", "text/plain", ""])
def test_only_pages_are_read(web, content_type):
    url = web.html("/", "<title>x</title>", content_type=content_type)
    assert refusal(url, rules=web.rules()).kind.name == "InputException"


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_page_that_drips_ends_by_the_deadline(web, part):
    stop = threading.Event()

    def drip(handler):
        if part == "body":
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html")
            handler.end_headers()
        else:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not stop.wait(0.02):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    web.pages["/"] = drip
    started = time.monotonic()
    try:
        refusal(web.url("/"), rules=web.rules(), seconds=0.3)
    finally:
        stop.set()
    assert time.monotonic() - started < 2


def test_who_takes_nothing_of_what_is_sent_is_left_at_the_deadline():
    """Webhooks are sent by such sessions."""
    from django_stream.server.opengraph.sessions import ends_within, session

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        rules = Rules(allows=lambda address: True, ports=frozenset({port}), loopback=True)
        begun = time.monotonic()
        with (
            ends_within(0.5),
            session(rules) as made,
            pytest.raises((requests.RequestException, OSError)),
        ):
            made.post(f"http://127.0.0.1:{port}/", data=b"x" * 50_000_000, timeout=20)
        assert time.monotonic() - begun < 15
