"""Each import contract of setup.cfg breaks when its wall is breached, and no modules import in a circle."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="a tool of developers")

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "importlinter:contract:"
STRANGER = "django_stream.stranger"
"""A module that no contract names: an allow-list refuses it."""

CONFIG = ConfigParser()
CONFIG.read(ROOT / "setup.cfg")
CONTRACTS = [section.removeprefix(PREFIX) for section in CONFIG if section.startswith(PREFIX)]

Breach = tuple[str, str]
"""A module, and what it must not import."""


def lines(contract: str, option: str) -> list[str]:
    return CONFIG[PREFIX + contract].get(option, "").split("\n")[1:]


def breaches(contract: str) -> Iterator[Breach]:
    """Each source with each module that is forbidden to it; each layer with the one above it."""
    kind = CONFIG[PREFIX + contract]["type"]
    if kind == "forbidden":
        for source in lines(contract, "source_modules"):
            for forbidden in lines(contract, "forbidden_modules"):
                yield source, forbidden.replace("django_stream.*", STRANGER)
    elif kind == "layers":
        container = "".join(f"{one}." for one in lines(contract, "containers"))
        layers = [re.split(r"\s*([|:])\s*", layer.strip("()")) for layer in lines(contract, "layers")]
        for above, below in pairwise(layers):
            yield container + below[0], container + above[0]
        for layer in layers:
            if "|" in layer:
                yield from pairwise(container + one for one in layer[::2])
    elif kind == "acyclic_siblings":
        yield "django_stream.server.conf", "django_stream.server.models"
        yield "django_stream.client.deadlines", "django_stream.client.http"
    else:
        raise AssertionError(f"say here how contracts of type {kind!r} are breached")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and its contracts where they may be damaged."""
    ignored = shutil.ignore_patterns("__pycache__", "static", "templates")
    shutil.copytree(ROOT / "django_stream", tmp_path / "django_stream", ignore=ignored)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    return tmp_path


def plant(copy: Path, importer: str, imported: str) -> None:
    """Have a module import another one, lazily, in the way that is easiest to overlook."""
    place = copy.joinpath(*importer.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    with file.open("a") as text:
        text.write(f"\n\ndef breach():\n    import {imported}\n")


def lint(copy: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache", *options]
    wide = {**os.environ, "COLUMNS": "300"}
    return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False, env=wide)


def test_every_contract_holds(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


@pytest.mark.parametrize("contract", CONTRACTS)
def test_every_breach_of_a_contract_is_named(copy: Path, contract: str) -> None:
    plant(copy, STRANGER, "json")
    planted = list(breaches(contract))
    assert planted
    for breach in planted:
        plant(copy, *breach)
    done = lint(copy, "--contract", contract)
    assert done.returncode == 1
    words = " ".join(done.stdout.split())
    assert f"{CONFIG[PREFIX + contract]['name']} BROKEN" in words
    if CONFIG[PREFIX + contract]["type"] != "acyclic_siblings":
        assert [breach for breach in planted if f"{breach[0]} -> {breach[1]} (l." not in words] == []


def test_a_new_module_of_the_server_needs_a_layer(copy: Path) -> None:
    plant(copy, "django_stream.server.stranger", "json")
    done = lint(copy, "--contract", "server-layers")
    assert done.returncode == 1
    assert "stranger" in done.stdout


# Imports between a package and its own modules are outside the contract, which compares siblings.
FIND_CIRCLE = """
import grimp, graphlib
graph = grimp.build_graph("django_stream", cache_dir=None)
# These are for the type checker only.
graph.remove_import(importer="django_stream.client.feed", imported="django_stream.client.client")
graph.remove_import(
    importer="django_stream.client.exceptions", imported="django_stream.client.transport_errors"
)
imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
try:
    graphlib.TopologicalSorter(imports).prepare()
except graphlib.CycleError as error:
    print(*error.args[1])
"""


def circle_in(folder: Path) -> str:
    command = [sys.executable, "-c", FIND_CIRCLE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_no_modules_import_in_a_circle() -> None:
    assert circle_in(ROOT) == ""


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("django_stream.server.fanout.jobs", "django_stream.server.tasks"),
        ("django_stream.server.timelines.base", "django_stream.server.timelines"),
    ],
)
def test_a_circle_is_found(copy: Path, importer: str, imported: str) -> None:
    plant(copy, importer, imported)
    assert {importer, imported} <= set(circle_in(copy).split())
