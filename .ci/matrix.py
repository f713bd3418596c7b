"""Run the tests in every combination that pyproject.toml declares, each in an environment of its own.

    make matrix                                 all of them, one after another
    make matrix ONLY="3.12-6.0 3.13-6.1-wheel"  some of them
    python3 .ci/matrix.py --list                their names

A name is a version of Python and one of Django. `-minimal` is an installation without any extra, `-wheel` the
built wheel in an empty folder, without the source tree, `-packages` the tests of models that other packages
change, with those packages. Environments are kept below .matrix/ until pyproject.toml changes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".matrix"
OLDEST = "3.11"
PYPROJECT = ROOT / "pyproject.toml"
QUIETLY = ("--quiet", "--disable-pip-version-check")
WITHOUT_SERVICES = "not services and not browser and not javascript and not schema and not scale"
MINIMAL = ["tests/unit", "tests/db", "tests/contract"]
POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
FORMS = ("minimal", "wheel", "packages")
# What the quickstart reads: it is followed to the letter, and knows nothing of the checkout.
WHEEL_TESTS = ["docs/quickstart.md", "docs/feeds.md", "tests/unit/docs/test_quickstart.py"]


def combinations() -> list[str]:
    """Every Python with every Django that runs on it; the oldest and the newest pair in other forms too."""
    classifiers = "\n".join(tomllib.loads(PYPROJECT.read_text())["project"]["classifiers"])
    pythons = re.findall(r"Python :: (3\.\d+)$", classifiers, re.MULTILINE)
    djangos = re.findall(r"Django :: (\d+\.\d+)$", classifiers, re.MULTILINE)
    pairs = [f"{python}-{django}" for django in djangos for python in pythons if runs_on(django, python)]
    return [*pairs, *(f"{pair}-{form}" for form in FORMS for pair in (pairs[0], pairs[-1]))]


def runs_on(django: str, python: str) -> bool:
    """Django 6 needs Python 3.12."""
    return django.startswith("5.") or python != OLDEST


def run(*command: str | Path, folder: Path = ROOT, **variables: str) -> None:
    """Run a command that must succeed and that no setting of this shell reaches, only these `variables`."""
    names = ("PYTHONPATH", "DJANGO_SETTINGS_MODULE", "DATABASE_URL", "PYENV_VERSION")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    subprocess.run([str(word) for word in command], cwd=folder, env=environment | variables, check=True)


def interpreter(version: str) -> Path:
    """A Python of this version: on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    named = shutil.which(f"python{version}")
    found = [Path(named)] if named else []
    found += sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)
    for python in found:
        # A shim of pyenv is there for versions that are not chosen, too.
        answer = subprocess.run([python, "-c", ""], capture_output=True, check=False)
        if answer.returncode == 0:
            return python
    raise SystemExit(f"There is no Python {version}: install it, for instance by `pyenv install {version}`.")


def environment(name: str, python: str, *requirements: str) -> Path:
    """The Python of an environment with these packages, made anew when they or pyproject.toml change."""
    folder = PLACE / name
    stamp = folder / "installed"
    wanted = hashlib.sha256(PYPROJECT.read_bytes() + repr(requirements).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        run(interpreter(python), "-m", "venv", "--clear", folder)
        run(folder / "bin" / "python", "-m", "pip", "install", *QUIETLY, *requirements)
        stamp.write_text(wanted)
    return folder / "bin" / "python"


def test_source_tree(name: str, python: str, django: str, form: str) -> None:
    extra = "tests" if form == "minimal" else "dev"
    here = environment(name, python, "--editable", f".[{extra}]", f"Django=={django}.*")
    folders = MINIMAL if form == "minimal" else []
    workers = os.environ.get("WORKERS", "auto")
    run(here, "-m", "pytest", "-n", workers, "--maxfail", "20", "-m", WITHOUT_SERVICES, *folders)


def test_packages(name: str, python: str, django: str) -> None:
    here = environment(name, python, "--editable", ".[packages]", f"Django=={django}.*")
    workers = os.environ.get("WORKERS", "auto")
    pytest = (here, "-m", "pytest", "--ds")
    database = os.environ.get("DATABASE_URL", POSTGRES)
    # On SQLite and on PostgreSQL; tenants have schemas, which SQLite has not.
    run(*pytest, "tests.packages.settings", "-n", workers, "tests/packages")
    fixed = ("-k", "not what_its_twin_is")  # random operations on one of the two are enough
    run(*pytest, "tests.packages.settings", "-n", workers, *fixed, "tests/packages", DATABASE_URL=database)
    run(*pytest, "tests.packages.tenants.settings", "tests/packages", DATABASE_URL=database)
    # The shop's own code is behind the newest Django, and its many migrations are not what is tested.
    quiet = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")
    shop = (
        *pytest,
        "tests.packages.shop.settings",
        *quiet,
        "--no-migrations",
        "-n",
        workers,
        "tests/packages",
    )
    run(*shop)
    run(*shop, DATABASE_URL=database)


def test_wheel(name: str, python: str, django: str) -> None:
    here = environment(name, python, "pytest", f"Django=={django}.*")
    wheel = built_wheel()
    run(here, "-m", "pip", "install", *QUIETLY, f"Django=={django}.*", wheel)
    # The version may be the one that is installed already.
    run(here, "-m", "pip", "install", *QUIETLY, "--force-reinstall", "--no-deps", wheel)
    with tempfile.TemporaryDirectory(prefix="django-stream-wheel-") as empty:
        folder = Path(empty)
        shutil.copy(ROOT / "tests" / "wheel" / "installed.py", folder)
        listed = subprocess.run(
            ["git", "ls-files", "django_stream"], cwd=ROOT, capture_output=True, check=True
        )
        (folder / "package_files.txt").write_bytes(listed.stdout)
        for path in WHEEL_TESTS:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, folder / path)
        tests = ("installed.py", WHEEL_TESTS[-1])
        run(
            here,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            "--rootdir",
            ".",
            "-p",
            "no:cacheprovider",
            *tests,
            folder=folder,
        )


@cache
def built_wheel() -> Path:
    """The wheel, made from the source distribution once in a run."""
    folder = PLACE / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    run(environment("build", OLDEST, "build"), "-m", "build", "--outdir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def outcome_of(name: str) -> str:
    """Run one combination and say how it went, and how long."""
    print(f"\n=== {name}", flush=True)
    started = time.monotonic()
    python, django, form = [*name.split("-"), "full"][:3]
    try:
        if form == "wheel":
            test_wheel(name, python, django)
        elif form == "packages":
            test_packages(name, python, django)
        else:
            test_source_tree(name, python, django, form)
    except subprocess.CalledProcessError:
        outcome = "failed"
    else:
        outcome = "passed"
    return f"{outcome} in {time.monotonic() - started:.0f} s"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", metavar="combination")
    parser.add_argument("--list", action="store_true", help="print the names of the combinations")
    options = parser.parse_args()
    if unknown := set(options.only) - set(combinations()):
        parser.error(
            f"no such combination: {', '.join(sorted(unknown))}; there are {', '.join(combinations())}"
        )
    if options.list:
        print("\n".join(combinations()))
        return 0
    outcomes = {name: outcome_of(name) for name in options.only or combinations()}
    print("", *(f"{name:18} {outcome}" for name, outcome in outcomes.items()), sep="\n")
    return 0 if all(outcome.startswith("passed") for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
