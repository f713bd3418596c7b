"""A plugin (`-p tests.scale.on_s3`): whatever suite is run keeps its uploads in a bucket of S3."""

from __future__ import annotations

import pytest

from tests import uploads
from tests.scale.s3 import S3
from tests.services.processes import Reaper

_reaper = Reaper()
_s3 = S3(_reaper)
_s3.start()
uploads.made.append(lambda _: _s3.bucket())


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    _s3.server.stop()
    _reaper.close()
