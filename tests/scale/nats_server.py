"""A NATS server of the tests' own."""

from __future__ import annotations

import requests

from tests.services.processes import Program, Reaper, free_port, listens, program, wait_until


class NatsServer:
    """It keeps nothing: what nobody hears is gone."""

    def __init__(self, reaper: Reaper) -> None:
        self._port, self._monitor = free_port(), free_port()
        folder = reaper.folder("nats")
        command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(self._port), "-m", str(self._monitor)]
        self.server = Program("nats", command, reaper=reaper, folder=folder)
        self.url = f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        self.server.start()
        wait_until(lambda: listens(self._port), "NATS listens", within=30)

    def messages(self) -> int:
        """How many it was told since it started, whether or not anybody heard them."""
        found = requests.get(f"http://127.0.0.1:{self._monitor}/varz", timeout=5).json()
        return int(found["in_msgs"])
