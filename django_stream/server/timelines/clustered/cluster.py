"""The connection to a Redis or Valkey Cluster."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, lru_cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django_stream.database.batches import batched
from django_stream.server.extras import MissingExtra

Argument = bytes | str | int
Call = tuple[str, Sequence[Argument]]
"""A key, and the arguments of a script."""

# Commands that are sent before the first answer is read.
_AT_ONCE = 1000
_SECONDS = 1.0
# A failure that took so long was no refusal: for a while nobody else waits for the same.
_SLOW = 0.2
_PAUSE = 1.0
SCHEMES = ("redis", "rediss")


class Unavailable(Exception):
    """The cluster, or the part of it that was asked, does not answer as it should just now."""


def nodes_of(url: str) -> list[tuple[str, int]]:
    """Hosts and ports of `redis://user:password@one:6379,other:6379`; ValueError says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"an address of a cluster begins with {' or '.join(f'{one}://' for one in SCHEMES)}")
    found = []
    for place in parts.netloc.rpartition("@")[2].split(","):
        one = urlsplit(f"//{place}")
        if not one.hostname:
            raise ValueError("an address of a cluster names a host")
        found.append((one.hostname, one.port or 6379))
    return found


class Cluster:
    """Runs scripts where their keys are. It connects when it is first used."""

    def __init__(self, url: str) -> None:
        self._nodes = nodes_of(url)
        self._missed_at: float | None = None
        self._silent_until: float | None = None
        self._probing = threading.Lock()
        credentials, at, _ = urlsplit(url).netloc.rpartition("@")
        host, port = self._nodes[0]
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        parts = urlsplit(url)
        self._url = urlunsplit((parts.scheme, f"{credentials}{at}{place}", *parts[2:]))
        try:
            import redis
        except ImportError as error:
            raise MissingExtra("timelines on a Redis Cluster", "redis") from error
        self._errors = (redis.RedisError, redis.exceptions.RedisClusterException, OSError)
        self._unknown = redis.exceptions.NoScriptError

    def misses(self) -> None:
        """Note that this process could not tell it of something."""
        self._missed_at = time.monotonic()

    def has_missed(self) -> bool:
        """Whether this process has left something that it may try again; if so, it is to try now."""
        missed_at = self._missed_at
        if missed_at is None or time.monotonic() - missed_at < _SECONDS:
            return False
        self._missed_at = None
        return True

    @cached_property
    def _client(self) -> Any:
        from redis.backoff import NoBackoff
        from redis.cluster import ClusterNode, RedisCluster
        from redis.retry import Retry

        return RedisCluster.from_url(
            self._url,
            startup_nodes=[ClusterNode(*node) for node in self._nodes],  # type: ignore[no-untyped-call]
            # Readers have the record, and changes are told again: nobody waits for a node that is gone.
            retry=Retry(NoBackoff(), 1),
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
        )

    def run(self, script: str, call: Call) -> Any:
        """Run a script on one key, in one round trip."""
        with self._asked():
            answer = self._run_one(script, call)
            if isinstance(answer, self._unknown):
                self._client.script_load(script)
                answer = self._run_one(script, call)
        if isinstance(answer, self._unknown):
            raise Unavailable("a node forgets scripts at once")
        return answer

    def run_all(self, script: str, calls: Iterable[Call]) -> None:
        """Run a script on many keys. Some may have been changed when it fails."""
        for some in batched(calls, _AT_ONCE):
            with self._asked():
                if unknown := self._run_some(script, some):
                    # On a node that is new, or was started again.
                    self._client.script_load(script)
                    if self._run_some(script, unknown):
                        raise Unavailable("a node forgets scripts at once")

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Whoever asks a cluster that has just not answered in time is refused at once."""
        if not self._may_be_asked():
            raise Unavailable("it has just not answered, and is asked again in a moment")
        began = time.monotonic()
        try:
            yield
        except self._errors as error:
            if time.monotonic() - began >= _SLOW:
                self._silent_until = time.monotonic() + _PAUSE
            raise Unavailable(str(error)) from error
        self._silent_until = None

    def _may_be_asked(self) -> bool:
        with self._probing:
            if self._silent_until is None:
                return True
            if (now := time.monotonic()) < self._silent_until:
                return False
            # One finds out for all others, who are refused for as long as that may take.
            self._silent_until = now + 2 * _PAUSE + 2 * _SECONDS
            return True

    def _run_one(self, script: str, call: Call) -> Any:
        key, arguments = call
        client, command = self._client, ("EVALSHA", _digest(script), 1, key, *arguments)
        try:
            try:
                # The cluster's own client takes longer for its part than the node for its answer.
                return client.get_redis_connection(client.get_node_from_key(key)).execute_command(*command)
            except self._unknown:
                raise
            except self._errors:
                # The slot has moved, or the node is gone: that client finds out.
                return client.execute_command(*command)
        except self._unknown as error:
            return error

    def _run_some(self, script: str, calls: Sequence[Call]) -> list[Call]:
        """Run it on these keys; those whose nodes do not know the script."""
        digest, unknown = _digest(script), []
        with self._client.pipeline() as pipeline:
            for key, arguments in calls:
                # Without its node named, redis-py 8 asks a server for the keys of each of these commands.
                node = self._client.get_node_from_key(key)
                pipeline.execute_command("EVALSHA", digest, 1, key, *arguments, target_nodes=node)
            answers = pipeline.execute(raise_on_error=False)
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, self._unknown):
                unknown.append(call)
            elif isinstance(answer, Exception):
                raise answer
        return unknown


@lru_cache(maxsize=16)
def _digest(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
