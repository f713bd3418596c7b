"""Brokers of the tests' own: a RabbitMQ node and a Redis server."""

from __future__ import annotations

import socket
from typing import Protocol

from tests.services.processes import Program, Reaper, free_port, listens, program, wait_until


class Broker(Protocol):
    """What Celery connects to."""

    url: str
    server: Program

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Redis:
    """In memory only: what was queued is gone when it is killed."""

    def __init__(self, reaper: Reaper) -> None:
        self._port = free_port()
        folder = reaper.folder("redis")
        command = [program("redis-server"), "--port", str(self._port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.server = Program("redis", command, reaper=reaper, folder=folder)
        self.url = f"redis://127.0.0.1:{self._port}/0"

    def start(self) -> None:
        self.server.start()
        wait_until(self._answers, "Redis answers", within=30)

    def stop(self) -> None:
        self.server.stop()

    def _answers(self) -> bool:
        return listens(self._port) and _says(self._port, b"PING\r\n", b"+PONG")


class RabbitMQ:
    """One node, with its own name, ports, folders and port mapper: nothing is shared with another node."""

    def __init__(self, reaper: Reaper) -> None:
        self._port, self._mapper_port = free_port(), free_port()
        folder = reaper.folder("rabbitmq")
        # The scripts themselves: the wrapper on the path changes to the user of the system's own node.
        server = program("rabbitmq-server", "usr/lib/rabbitmq/bin/rabbitmq-server")
        environment = {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_NODENAME": f"tests{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        self._mapper = Program(
            "epmd",
            [program("epmd"), "-address", "127.0.0.1", "-port", str(self._mapper_port)],
            reaper=reaper,
            folder=folder,
        )
        self.server = Program("rabbitmq", [server], reaper=reaper, folder=folder, environment=environment)
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}//"

    def start(self) -> None:
        if not self._mapper.is_running:
            self._mapper.start()
            wait_until(lambda: listens(self._mapper_port), "the port mapper listens", within=10)
        self.server.start()
        wait_until(self._answers, "RabbitMQ answers", within=60)

    def stop(self) -> None:
        self.server.stop()
        self._mapper.stop()

    def _answers(self) -> bool:
        # A greeting in the protocol: connection.start is class 10, method 10.
        return listens(self._port) and _says(self._port, b"AMQP\x00\x00\x09\x01", b"\x01\x00\x00")


def _says(port: int, question: bytes, beginning: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(question)
            return line.recv(64).startswith(beginning)
    except OSError:
        return False
