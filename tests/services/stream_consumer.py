"""Follows a stream from a process of its own, and writes down what comes. Arguments: endpoint, file.

The file is its memory: after a restart it goes on behind the last whole line.
"""

from __future__ import annotations

import sys
from pathlib import Path

from django_stream.client.listening import Connection, connected


def main(endpoint: str, path: Path) -> None:
    kept = path.read_bytes() if path.exists() else b""
    whole = kept[: kept.rfind(b"\n") + 1]
    path.write_bytes(whole)
    cursor = whole.splitlines()[-1].split()[0].decode() if whole else "0"
    with path.open("ab", buffering=0) as file:
        for event in connected(Connection(endpoint, lambda: ""), cursor):
            file.write(f"{event.event_id} {event.data['object']}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
