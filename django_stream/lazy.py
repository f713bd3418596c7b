"""Names that a module loads on first use, so that it can be imported before Django's apps are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any


def lazy_exports(door: str, names: Iterable[str], modules: Iterable[str]) -> Callable[[str], Any]:
    """A `__getattr__` (PEP 562) for the module `door`.

    Each of `names` is taken from the first of `modules` that has it; any other is an AttributeError.
    """
    names, modules = frozenset(names), tuple(modules)

    def find(name: str) -> Any:
        if name in names:
            for module in map(import_module, modules):
                if name in vars(module):
                    return vars(module)[name]
        raise AttributeError(f"module {door!r} has no attribute {name!r}", name=name)

    return find
