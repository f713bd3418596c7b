"""A NATS server of the tests' own."""

from __future__ import annotations

from tests.services.processes import Program, Reaper, free_port, listens, program, wait_until


class NatsServer:
    """It keeps nothing: what nobody hears is gone."""

    def __init__(self, reaper: Reaper) -> None:
        self._port = free_port()
        folder = reaper.folder("nats")
        command = [program("nats-server"), "-a", "127.0.0.1", "-p", str(self._port)]
        self.server = Program("nats", command, reaper=reaper, folder=folder)
        self.url = f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        self.server.start()
        wait_until(lambda: listens(self._port), "NATS listens", within=30)
