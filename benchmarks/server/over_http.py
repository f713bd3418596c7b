"""Time a page of 25 over HTTP under gunicorn: the API against a view written by hand.

Run: `DATABASE_URL=... python -m benchmarks.server.over_http`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import django
import jwt
import requests


def main() -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.server.settings"
    django.setup()
    from benchmarks.server import data
    from django_stream.server.conf import server_settings

    data.prepare(10_000)
    followed, timeline = data.feeds("user", 100), data.feeds("timeline", 1)[0]
    data.timeline(timeline, 10_000, followed)
    data.analyze()
    claims = {"resource": "*", "action": "*", "feed_id": "*"}
    token = jwt.encode(claims, server_settings.own_secret, algorithm="HS256")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    command += ["--worker-class", "gthread", "--threads", "1", "benchmarks.server.wsgi"]
    server = subprocess.Popen(command)
    try:
        return compare(f"http://127.0.0.1:{port}", token)
    finally:
        server.terminate()
        server.wait()


def compare(url: str, token: str) -> int:
    from benchmarks.server.measuring import medians, ratio

    session = requests.Session()
    session.headers.update({"Authorization": token, "stream-auth-type": "jwt"})
    for _ in range(100):
        try:
            session.get(f"{url}/api/v1.0/health/", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)

    def api() -> int:
        answer = session.get(f"{url}/api/v1.0/feed/timeline/0/?api_key=embedded", timeout=5)
        return len(answer.json()["results"])

    def hand() -> int:
        return len(session.get(f"{url}/hand/", timeout=5).json()["results"])

    assert (api(), hand()) == (25, 26)
    times = medians({"api": api, "hand": hand}, rounds=30, per_round=20)
    for name, seconds in times.items():
        print(f"  {name:<8} {seconds * 1e6:6.0f} us")
    return (
        0
        if ratio("pages a second over the view by hand", times["hand"] / times["api"], 0.8, at_least=True)
        else 1
    )


if __name__ == "__main__":
    sys.exit(main())
