"""A web server on a free port of this machine, whose pages are what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

from django_stream.server.opengraph.public_addresses import Rules, is_public

Page = Callable[[BaseHTTPRequestHandler], None]


class Web:
    """Pages by path, and the paths that were asked for."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def rules(self) -> Rules:
        """Those of production, and this server besides."""
        here = ip_address("127.0.0.1")
        return Rules(
            allows=lambda address: address == here or is_public(address),
            ports=frozenset({80, 443, self.port}),
            loopback=True,
        )

    def html(self, path: str, text: str | bytes, **headers: str) -> str:
        self.pages[path] = page(text, **headers)
        return self.url(path)

    def moved(self, path: str, target: str, status: int = 302) -> str:
        def send(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            handler.send_header("Location", target)
            handler.end_headers()

        self.pages[path] = send
        return self.url(path)


def page(text: str | bytes, *, content_type: str = "text/html; charset=utf-8", **headers: str) -> Page:
    body = text.encode() if isinstance(text, str) else text

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", content_type)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


@contextmanager
def serving() -> Iterator[Web]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            with suppress(BrokenPipeError, ConnectionResetError):
                web.pages[self.path](self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    web = Web(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
