"""What `django_stream.client` promises to export."""

from __future__ import annotations

import subprocess
import sys

import django_stream.client as stream


def test_everything_listed_exists_and_is_sorted() -> None:
    assert all(hasattr(stream, name) for name in stream.__all__)
    assert (
        sorted(stream.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
        == stream.__all__
    )


def test_the_client_loads_no_django() -> None:
    loaded = "import sys, django_stream.client; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0


def test_exceptions_have_the_names_of_the_official_client() -> None:
    from stream import exceptions as official

    theirs = {name for name, value in vars(official).items() if isinstance(value, type)}
    assert theirs <= set(vars(stream.exceptions))
