"""A Redis Cluster of the tests' own: three masters, each with a replica, on loopback."""

from __future__ import annotations

import subprocess

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import RedisError

from tests.services.processes import Program, Reaper, free_port, program, wait_until

_NODE_TIMEOUT_MS = 1500


class Node:
    """One server."""

    def __init__(self, reaper: Reaper) -> None:
        self.port = free_port()
        folder = reaper.folder("cluster")
        command = [program("redis-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--cluster-enabled", "yes", "--cluster-port", str(free_port())]
        command += ["--cluster-node-timeout", str(_NODE_TIMEOUT_MS), "--cluster-replica-validity-factor", "0"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
        self.server = Program(f"redis-{self.port}", command, reaper=reaper, folder=folder)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(self, *command: str) -> object:
        with Redis(port=self.port, socket_timeout=2) as client:
            return client.execute_command(*command)

    def info(self) -> dict[str, object]:
        with Redis(port=self.port, socket_timeout=2) as client:
            return {**client.info("replication"), "id": client.execute_command("CLUSTER MYID").decode()}

    def answers(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except RedisError:
            return False


class Nodes:
    """Six servers that are one cluster."""

    def __init__(self, reaper: Reaper) -> None:
        self._nodes = [Node(reaper) for _ in range(6)]

    def start(self) -> None:
        for node in self._nodes:
            node.server.start()
        for node in self._nodes:
            wait_until(node.answers, f"Redis answers at {node.address}", within=30)
        places = [node.address for node in self._nodes]
        self._manage("create", *places, "--cluster-replicas", "1", "--cluster-yes")
        wait_until(self.is_whole, "every slot has a master, and every master a replica", within=60)

    def stop(self) -> None:
        for node in self._nodes:
            node.server.stop()

    @property
    def url(self) -> str:
        return f"redis://{','.join(node.address for node in self._nodes)}"

    def is_whole(self) -> bool:
        """Whether all slots are served, and each of three masters has its replica."""
        try:
            if b"cluster_state:ok" not in self._running()[0].ask("CLUSTER", "INFO"):
                return False
            roles = [node.info() for node in self._nodes]
        except (RedisError, OSError):
            return False
        masters = [role for role in roles if role["role"] == "master"]
        linked = [role.get("master_link_status") for role in roles if role["role"] == "slave"]
        return (
            len(masters) == 3 and all(role["connected_slaves"] for role in masters) and set(linked) == {"up"}
        )

    def client(self) -> RedisCluster:
        return RedisCluster.from_url(f"redis://{self._running()[0].address}")

    def master_of(self, key: str) -> Node:
        """The node that serves a key."""
        with self.client() as client:
            port = client.get_node_from_key(key).port
        return next(node for node in self._nodes if node.port == port)

    def replica_of(self, master: Node) -> Node:
        replicas = (node for node in self._running() if node.info()["role"] == "slave")
        return next(node for node in replicas if node.info()["master_port"] == master.port)

    def move_slots(self, number: int) -> None:
        """Move so many slots from one master to another."""
        source, target = [node for node in self._running() if node.info()["role"] == "master"][:2]
        names = ("--cluster-from", str(source.info()["id"]), "--cluster-to", str(target.info()["id"]))
        self._manage("reshard", source.address, *names, "--cluster-slots", str(number), "--cluster-yes")

    def _running(self) -> list[Node]:
        return [node for node in self._nodes if node.server.is_running]

    def _manage(self, *arguments: str) -> None:
        command = [program("redis-cli"), "--cluster", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
