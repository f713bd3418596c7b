"""Readers that take nothing, or next to nothing, by sockets whose kernel keeps little for them."""

from __future__ import annotations

import base64
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.db.server.streams.site import Server

KINDS = ("lines", "server-sent", "websocket")


@contextmanager
def stubborn(server: Server, endpoint: str, kind: str = "lines", query: str = "") -> Iterator[socket.socket]:
    """A reader that was let in and takes no more than the status."""
    headers = {"lines": "", "server-sent": "Accept: text/event-stream\r\n", "websocket": upgrade()}[kind]
    with connected(server, f"{endpoint}?{query}", headers) as one:
        assert one.recv(12) == (b"HTTP/1.1 101" if kind == "websocket" else b"HTTP/1.1 200")
        yield one


@contextmanager
def connected(server: Server, address: str, headers: str) -> Iterator[socket.socket]:
    """A connection that has sent its request."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(30)
        one.connect(("127.0.0.1", server.port))
        url = urlsplit(address)
        request = f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\n{headers}\r\n"
        one.sendall(request.encode("latin-1"))
        yield one


def frame(data: bytes, *, opcode: int = 1, fin: bool = True, length: int = 0) -> bytes:
    """A frame of a WebSocket client, masked with zeros; `length` is what it says of itself."""
    size = length or len(data)
    head = bytes([128 * fin + opcode])
    if size < 126:
        head += bytes([128 + size])
    elif size < 65536:
        head += bytes([254]) + size.to_bytes(2, "big")
    else:
        head += bytes([255]) + size.to_bytes(8, "big")
    return head + bytes(4) + data


def upgrade() -> str:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n"
    )


def memory_of(server: Server) -> float:
    """The most that the server's process has had of memory until now, in MB."""
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def sockets_of(server: Server) -> int:
    """How many connections of clients the process has open, whatever the other side has done."""
    assert server.process is not None
    links = [os.readlink(one) for one in Path(f"/proc/{server.process.pid}/fd").iterdir() if one.is_symlink()]
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    clients = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{server.port:04X}")}
    return len(clients.intersection(links))
