"""A plugin (`-p tests.scale.on_bouncer`): whatever suite is run reaches PostgreSQL by way of PgBouncer.

It is started before Django reads its settings; DATABASE_URL names the PostgreSQL behind it.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

import pytest

from tests.scale.bouncer import Bouncer
from tests.services.processes import Reaper

_reaper = Reaper()
_behind = urlsplit(os.environ["DATABASE_URL"])
_bouncer = Bouncer(_reaper, _behind.port or 5432)
_bouncer.start()
os.environ["DATABASE_URL"] = f"{_bouncer.url(_behind.path.strip('/'))}"
os.environ["DISABLE_SERVER_SIDE_CURSORS"] = "1"
os.environ["DIRECT_PORT"] = str(_behind.port or 5432)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _bouncer.server.stop()
    _reaper.close()
