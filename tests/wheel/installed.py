"""The installed package, seen from a folder that has nothing else of this project.

`make matrix` copies this file there, with a list of the package's files; the test suite itself has a checkout
and leaves it alone.
"""

from importlib.metadata import files
from pathlib import Path
from sysconfig import get_path

import django_stream

SITE_PACKAGES = Path(get_path("purelib"))
DISTRIBUTION = "django-stream-feeds"


def test_the_package_is_the_installed_one():
    assert Path(django_stream.__file__) == SITE_PACKAGES / "django_stream" / "__init__.py"


def test_every_file_of_the_package_is_installed():
    wanted = Path("package_files.txt").read_text().split()
    assert {"django_stream/py.typed", "django_stream/templates/django_stream/activity.html"} <= set(wanted)
    assert [path for path in wanted if not (SITE_PACKAGES / path).is_file()] == []


def test_nothing_else_of_the_project_is_installed():
    folders = {path.parts[0] for path in files(DISTRIBUTION) or ()}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"django_stream"}
