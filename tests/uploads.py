"""Where the uploads of a test are kept: below a folder of its own, or where a plugin says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.files.storage import Storage, storages

Made = Callable[[Path], dict[str, Any]]


def _in_folder(folder: Path) -> dict[str, Any]:
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}


made: list[Made] = [_in_folder]
"""The last one makes the storage's settings; plugins append theirs."""


def keep_in(settings: Any, folder: Path) -> Storage:
    """An empty storage for what the test uploads; the folder need not exist."""
    settings.STORAGES = {**settings.STORAGES, "default": made[-1](folder)}
    return storages["default"]


def names(storage: Storage, folder: str = "") -> Iterator[str]:
    """Everything that is kept, below whatever folder."""
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}{name}" for name in files)
    for one in folders:
        yield from names(storage, f"{folder}{one}/")
