"""Time `feed.get(25)` through the embedded transport against the same server over loopback HTTP.

Both read the same feed of the same SQLite file, in turns. The server over HTTP is Django's WSGI
application under gunicorn in a process of its own. Exit status 1 if the target is missed.
Run: `python -m benchmarks.client.in_process`.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.client.compare import measure
from benchmarks.client.stub import PAGE

TARGET = 0.3


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def start_server(port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--worker-class", "gthread", "--threads", "2", "benchmarks.client.wsgi"]
    process = subprocess.Popen(command)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return process
    process.terminate()
    raise TimeoutError("gunicorn did not start")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--calls", type=int, default=20, help="calls per block")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'benchmark.sqlite3'}"
        return compare(options.rounds, options.calls)


def compare(rounds: int, calls: int) -> int:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from django_stream.client import StreamClient
    from django_stream.protocol.credentials import EMBEDDED_API_KEY, embedded_secret
    from django_stream.protocol.messages import ApiRequest
    from django_stream.server.dispatch import handle
    from django_stream.server.transport import EmbeddedTransport

    secret, port = embedded_secret(settings.SECRET_KEY), free_port()
    inside = StreamClient(EMBEDDED_API_KEY, secret, transport=EmbeddedTransport())
    inside.feed("user", "1").add_activities(
        {
            "actor": "1",
            "verb": "commit",
            "object": str(number),
            "foreign_id": f"commit:{number}",
            "time": f"2026-01-31T12:00:00.{number:06}",
            "message": "Answer with the whole page, also when it is the last one",
        }
        for number in range(100)
    )
    token = inside.feed("user", "1").create_scope_token("feed", "read")
    request = ApiRequest("GET", "feed/user/1/", EMBEDDED_API_KEY, token, {"limit": str(PAGE)})
    server = start_server(port)
    try:
        over_http = StreamClient(EMBEDDED_API_KEY, secret, base_url=f"http://127.0.0.1:{port}")
        medians = measure(
            {
                "server alone": lambda: handle(request),
                "in process": lambda: inside.feed("user", "1").get(limit=PAGE),
                "loopback HTTP": lambda: over_http.feed("user", "1").get(limit=PAGE),
            },
            rounds,
            calls,
        )
    finally:
        server.terminate()
        server.wait(10)
    for name, (wall, _) in medians.items():
        print(f"{name:<16}{wall * 1e3:>8.3f} ms")
    ratio = medians["in process"][0] / medians["loopback HTTP"][0]
    print(f"ratio {ratio:.2f}, target ≤ {TARGET}: {'met' if ratio <= TARGET else 'missed'}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
