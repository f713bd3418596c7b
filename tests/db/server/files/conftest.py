from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import Storage

from tests.uploads import keep_in


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Storage:
    """Where uploads of a test are kept."""
    return keep_in(settings, tmp_path / "media")
