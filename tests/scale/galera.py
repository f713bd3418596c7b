"""A Galera cluster of the tests' own: two MariaDB nodes, each of which takes writes, on loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Any

import pymysql

from tests.services.processes import Program, Reaper, free_port, program, wait_until

_PROVIDER = "usr/lib/galera/libgalera_smm.so"
_MEMORY = 3 * 1024**3
# Crashes here are those of processes, which lose nothing that the system has in its cache.
_OPTIONS = {
    "bind-address": "127.0.0.1",
    "innodb-flush-log-at-trx-commit": "2",
    "innodb-buffer-pool-size": "64M",
    "innodb-autoinc-lock-mode": "2",
    "default-storage-engine": "InnoDB",
    "binlog-format": "ROW",
    "wsrep-on": "ON",
    "wsrep-cluster-name": "feeds",
    "wsrep-node-address": "127.0.0.1",
    # Its donor takes writes meanwhile, where that of rsync stands still.
    "wsrep-sst-method": "mariabackup",
    "wsrep-sst-auth": "root:",
    "wsrep-provider": f"/{_PROVIDER}",
}


class Node:
    """One server; of two that no longer see each other, the one with more weight goes on."""

    def __init__(self, reaper: Reaper, name: str, weight: int) -> None:
        # The server refuses to run as root.
        self.user = "mysql" if os.geteuid() == 0 else None
        self.name, self._weight, self._reaper = name, weight, reaper
        self.folder = reaper.folder("galera", self.user)
        self.data = self.folder / "data"
        self.port, self.group_port = free_port(), free_port()
        self.empty()

    def empty(self) -> None:
        """Have no rows, like a new machine."""
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir()
        if self.user:
            shutil.chown(self.data, self.user, self.user)

    def start(self, members: str) -> None:
        """Join those of these addresses that are there; without any, begin a new cluster."""
        provider = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.group_port}",
            "ist.recv_addr": f"127.0.0.1:{free_port()}",
            "pc.weight": self._weight,
            "gcache.size": "32M",
            # On a busy machine, who does not answer for a few seconds is not gone.
            "evs.suspect_timeout": "PT10S",
            "evs.inactive_timeout": "PT25S",
        }
        own = {
            "datadir": self.data,
            "port": self.port,
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "wsrep-node-name": self.name,
            "wsrep-cluster-address": f"gcomm://{members}",
            "wsrep-sst-receive-address": f"127.0.0.1:{free_port()}",
            "wsrep-provider-options": ";".join(f"{option}={value}" for option, value in provider.items()),
        }
        options = [f"{option} = {value}" for option, value in {**_OPTIONS, **own}.items()]
        # The programs of a transfer read it, too.
        configuration = self.folder / "my.cnf"
        configuration.write_text("\n".join(["[mysqld]", *options, "[sst]", "sst-log-archive = 0", ""]))
        # A server whose purge span has been seen to take all memory of the machine.
        command = [program("prlimit"), f"--data={_MEMORY}"]
        command += [program("mariadbd", "usr/sbin/mariadbd"), f"--defaults-file={configuration}"]
        command += self._position(command)
        self.server = Program(self.name, command, reaper=self._reaper, folder=self.folder, user=self.user)
        self.server.output.unlink(missing_ok=True)
        self.server.start()

    def _position(self, command: list[str]) -> list[str]:
        """Where a killed one was, so that it is sent what it missed; the package's service asks likewise."""
        if not (self.data / "ibdata1").exists():
            return []
        asked = subprocess.run(
            [*command, "--wsrep-recover"],
            check=True,
            capture_output=True,
            text=True,
            cwd="/",
            user=self.user,
            group=self.user,
            extra_groups=[],
        )
        return [
            f"--wsrep-start-position={one}" for one in re.findall(r"Recovered position: (\S+)", asked.stderr)
        ]

    def wait(self, members: int) -> None:
        """Until it answers as one of so many that have the same rows."""
        wait_until(lambda: self._is_synced(members), f"{self.name} is one of {members}", within=120)

    def was_given_all(self) -> bool:
        """Whether it has got all rows since it was started, and not what it missed alone."""
        return "Proceeding with SST" in self.server.output.read_text(errors="replace")

    def catch_up(self) -> None:
        """Until it has done all that was committed on any node before."""
        self.query("SELECT 1", "SET SESSION wsrep_sync_wait = 7")

    def query(self, sql: str, first: str = "SELECT 1") -> list[tuple[Any, ...]]:
        connected = pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", autocommit=True, init_command=first
        )
        with connected as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def url(self, database: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{database}"

    def _is_synced(self, members: int) -> bool:
        wanted = ("wsrep_cluster_size", "wsrep_local_state_comment", "wsrep_cluster_status")
        try:
            found = dict(self.query(f"SHOW STATUS WHERE Variable_name IN {wanted}"))
        except pymysql.Error:
            assert self.server.is_running, self.server.tail()
            return False
        return [found.get(name) for name in wanted] == [str(members), "Synced", "Primary"]


class Pair:
    """The first one goes on without the second one, and not the other way round."""

    def __init__(self, reaper: Reaper) -> None:
        self.first, self.second = Node(reaper, "first", 2), Node(reaper, "second", 1)

    def start(self) -> None:
        data, user = self.first.data, self.first.user
        making = [program("mariadb-install-db"), "--no-defaults", f"--datadir={data}", "--skip-test-db"]
        making += ["--auth-root-authentication-method=normal"]
        subprocess.run(
            making, check=True, capture_output=True, cwd="/", user=user, group=user, extra_groups=[]
        )
        self.first.start("")
        self.first.wait(1)
        self.start_second()

    def start_second(self) -> None:
        """It gets whatever the first one has."""
        self.second.start(f"127.0.0.1:{self.first.group_port}")
        for node in (self.second, self.first):
            node.wait(2)

    def stop(self) -> None:
        for node in (self.second, self.first):
            node.server.stop()
