"""A Stream API that answers every request with one canned answer per method, as fast as a socket can.

`python -m benchmarks.client.stub` prints its port and serves until its standard input closes.
"""

from __future__ import annotations

import json
import socket
import sys
import threading

PAGE = 25


def activity(number: int) -> dict[str, object]:
    return {
        "id": f"9b5b3540-e825-11e8-8080-8000{number:08x}",
        "actor": f"SU:user-{number}",
        "verb": "commit",
        "object": f"repository.commit:{number}",
        "target": "",
        "foreign_id": f"repository.commit:{number}",
        "origin": f"user:{number}",
        "time": f"2018-11-14T15:54:{number % 60:02}.268000",
        "message": "Answer with the whole page, also when it is the last one",
        "lines": {"added": number, "removed": 3},
        "tags": ["fix", "paging"],
    }


def answer(body: dict[str, object], status: str) -> bytes:
    text = json.dumps({**body, "duration": "1.05ms"}).encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-RateLimit-Limit: 1000\r\n"
        f"X-RateLimit-Remaining: 999\r\nX-RateLimit-Reset: 1893456000\r\nContent-Length: {len(text)}\r\n\r\n"
    )
    return head.encode() + text


ANSWERS = {
    b"GET": answer({"results": [activity(number) for number in range(PAGE)], "next": ""}, "200 OK"),
    b"POST": answer(activity(1), "201 Created"),
}


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    waiting = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in waiting:
                if not (block := connection.recv(65536)):
                    return
                waiting += block
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            while len(waiting) < length:
                waiting += connection.recv(65536)
            waiting = waiting[length:]
            connection.sendall(ANSWERS[head.partition(b" ")[0]])


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
