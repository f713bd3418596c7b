"""A plugin (`-p tests.scale.on_galera`): whatever suite is run has its database on one of two Galera nodes.

They are started before Django reads its settings. `work` has threads beside the tests' on either node.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.scale.galera import Node, Pair
from tests.services.processes import Reaper

_reaper = Reaper()
pair = Pair(_reaper)
pair.start()
# What is read on one node, others may have written on the other one.
_WAITS = quote("SET SESSION wsrep_sync_wait = 7")
# A node that stands still is a failure, and not the end of all tests: its clients would wait for ever.
_PATIENCE = 180  # seconds
os.environ["DATABASE_URL"] = (
    f"{pair.first.url('feeds')}?init_command={_WAITS}&read_timeout={_PATIENCE}&write_timeout={_PATIENCE}"
)


def on(node: Node, work: Callable[[], Any]) -> Callable[[], Any]:
    """The work, on a node; for a thread of its own, which has no connection yet."""

    def there() -> Any:
        from django.db import connection

        connection.settings_dict = {**connection.settings_dict, "PORT": node.port}
        return work()

    return there


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What a node that is gone said last, which nobody can look up when its folder is gone."""
    for node in (pair.first, pair.second):
        if not node.server.is_running:
            terminalreporter.section(f"the node {node.name} has ended")
            terminalreporter.write_line(node.server.tail(150))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    pair.stop()
    _reaper.close()
