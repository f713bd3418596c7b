"""The public names: one page lists them, `__all__` of the modules has the same, the docs use no others."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "django_stream"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = (ROOT / "docs" / "reference" / "api.md").read_text()
EXTRAS = {
    *("jinja2", "PIL", "lxml", "requests_hardened", "webencodings", "drf_spectacular", "opentelemetry"),
    *("prometheus_client", "psycopg", "redis", "orjson"),
}


def listed() -> dict[str, set[str]]:
    """Names by module, as the page has them."""
    found: dict[str, set[str]] = {}
    for line in REFERENCE.splitlines():
        if heading := re.fullmatch(r"###? `([\w.]+)`", line):
            names = found.setdefault(heading[1], set())
        elif row := re.match(r"\| `(\w+)", line):
            assert row[1] not in names, f"{row[1]} is listed twice"
            names.add(row[1])
    return found


LISTED = listed()


def with_all(path: Path) -> bool:
    tree = ast.parse(path.read_text())
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def test_the_page_has_every_module_that_is_meant_for_import() -> None:
    doors = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in PACKAGE.rglob("*.py")
        # Of the server's modules, one is meant for sites.
        if ("server" not in path.parts or path.name == "asgi.py") and with_all(path)
    }

    assert doors == LISTED.keys()


@pytest.mark.parametrize("module", LISTED)
def test_a_module_exports_what_the_page_lists(module: str) -> None:
    door = import_module(module)

    assert sorted(door.__all__) == sorted(LISTED[module])
    assert all(getattr(door, name) is not None for name in LISTED[module])


def blocks() -> Iterator[tuple[str, ast.Module]]:
    for page in PAGES:
        for text in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            yield page.name, ast.parse(dedent(text), type_comments=False)


def used(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The names of ours that a piece of code imports, or takes from a module that it imports."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "django_stream":
            for alias in node.names:
                if f"{node.module}.{alias.name}" in LISTED:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                else:
                    yield str(node.module), alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "django_stream":
                    modules[alias.asname or alias.name] = alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield modules[node.value.id], node.attr


def test_the_docs_use_nothing_deeper_than_the_front_door() -> None:
    found = [(page, *name) for page, tree in blocks() for name in used(tree)]

    assert [one for one in found if one[2] not in LISTED.get(one[1], ())] == []
    doors = {module for _, module, _ in found}
    assert doors >= {"django_stream.models", "django_stream.feeds", "django_stream.tracking"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_nor_do_they_name_a_deeper_module_as_a_place_to_import_from(page: Path) -> None:
    named = re.findall(r"(?:from|import|in) `(django_stream[\w.]*)`", page.read_text())

    assert [module for module in named if module not in LISTED] == []


# Those of the official packages are explained by their own docs; classes are met as values of functions.
CALLED = [
    name
    for module in ("models", "feeds", "tracking", "admin", "api", "signals", "metrics", "testing")
    for name in sorted(LISTED[f"django_stream.{module}"])
    if name[0].islower() or name.endswith("Mixin")
]


@pytest.mark.parametrize("name", CALLED)
def test_what_a_site_calls_is_explained_somewhere_else_too(name: str) -> None:
    pages = "\n".join(page.read_text() for page in PAGES if page.name != "api.md")

    assert re.search(rf"\b{name}\b", pages)


def test_the_example_project_uses_the_front_door_too() -> None:
    for path in (ROOT / "example_project").rglob("*.py"):
        for module, name in used(ast.parse(path.read_text())):
            assert name in LISTED.get(module, ()), f"{path.relative_to(ROOT)}: {module}.{name}"


_BLOCKED = """
import sys
from importlib.abc import MetaPathFinder

class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {extras!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refusing())
"""
_SITE = """
import importlib
import django
from django.conf import settings
settings.configure(
    SECRET_KEY="x" * 50,
    INSTALLED_APPS=[
        "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
        "django.contrib.messages", "django.contrib.sessions", "django_stream", "django_stream.server",
    ],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    USE_TZ=True,
)
django.setup()
for module, names in {listed!r}.items():
    for name in names:
        getattr(importlib.import_module(module), name)
importlib.import_module("django_stream.api.urls")
assert not {extras!r} & {{name.split(".")[0] for name in sys.modules}}
print("all there")
"""


def test_importing_needs_none_of_the_extras() -> None:
    code = (_BLOCKED + _SITE).format(extras=EXTRAS, listed=LISTED)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )

    assert done.stdout == "all there\n", done.stderr


def test_feeds_and_tracking_can_be_imported_before_the_apps_are_ready() -> None:
    code = "from django_stream import api, feeds, signals, tracking\n" + dedent(
        """
        from django.apps import apps
        assert not apps.apps_ready
        print(len(feeds.__all__) + len(tracking.__all__) + len(api.__all__))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )

    assert int(done.stdout) > 0, done.stderr


def test_a_name_that_a_door_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'django_stream.feeds' has no attribute 'timelin'"):
        import_module("django_stream.feeds").timelin  # noqa: B018
