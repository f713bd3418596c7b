"""Real programs as the tests' own instances: free ports, own folders, gone at the end whatever happens."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

import pytest

ROOT = Path(__file__).resolve().parents[2]
_GLANCE = 0.05
_PORTS = range(20000, 32000)
# The seeds of tests are those of all processes that run them, which would take the same ports.
_dice = random.SystemRandom()


def program(name: str, *places: str) -> str:
    """The path of an installed program. Its absence is a failure, never a reason to skip."""
    candidates = sorted((str(found) for place in places for found in Path("/").glob(place)), reverse=True)
    found = next(iter(candidates), None) or shutil.which(name)
    if found is None:
        pytest.fail(f"these tests start programs of their own, and {name} is not installed")
    return found


def free_port() -> int:
    """One that no connection is given meanwhile: systems take theirs from 32768 on, and above."""
    for port in _dice.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail(f"no port is free from {_PORTS[0]} to {_PORTS[-1]}")


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def pause(seconds: float) -> None:
    Event().wait(seconds)


def wait_until(happens: Callable[[], object], what: str, *, within: float) -> None:
    """Look again and again until something is true; fail with its name after the deadline."""
    never = Event()
    for _ in range(int(within / _GLANCE) + 1):
        if happens():
            return
        never.wait(_GLANCE)
    pytest.fail(f"not within {within} seconds: {what}")


class Reaper:
    """A small process that outlives ours and takes away what we leave: process groups and folders."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("reaper.py"))],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def folder(self, prefix: str, owner: str | None = None) -> Path:
        """A new folder that the reaper removes."""
        path = Path(tempfile.mkdtemp(prefix=f"{prefix}-"))
        self._tell(f"folder {path}")
        if owner is not None:
            shutil.chown(path, owner, owner)
        return path

    def watch(self, group: int) -> None:
        self._tell(f"group {group}")

    def forget(self, group: int) -> None:
        self._tell(f"forget {group}")

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        # Folders of databases are large, and a busy machine is slow to remove them.
        self._process.wait(timeout=300)


class Program:
    """One program that can be started, killed and started again; its output goes to a file."""

    def __init__(
        self,
        name: str,
        command: list[str],
        *,
        reaper: Reaper,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.name = name
        self.output = folder / f"{name}.log"
        self._command = command
        self._reaper = reaper
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT if self._user is None else "/",
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
            )
        self._reaper.watch(self._process.pid)

    @property
    def pid(self) -> int:
        """Its number, while it runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill the program and all its children at once, without a chance to tidy up."""
        assert self._process is not None
        os.killpg(self._process.pid, number)
        self._process.wait(timeout=30)
        self._gone()

    def signal(self, number: signal.Signals) -> None:
        """Signal the program itself and wait for its end."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(timeout=30)
        self._gone()

    def pause(self) -> None:
        """Let it stand still, as a busy or swapping machine does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def stop(self) -> None:
        if self.is_running:
            self.kill()
        elif self._process is not None:
            # Its number may be a stranger's by the time the reaper looks.
            self._gone()

    def wait(self, *, within: float) -> int:
        """The exit status of a program that ends by itself."""
        assert self._process is not None
        status = self._process.wait(timeout=within)
        self._gone()
        return status

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-lines:])

    def _gone(self) -> None:
        assert self._process is not None
        self._reaper.forget(self._process.pid)
