"""The formula language, read into a tree of small closures.

Grammar, loosest first: `a ? b : c`, `||`, `&&`, comparisons, `+ -`, `* / %`, unary `-` and `!`,
`^` (to the right), then numbers, names with dots, calls and parentheses. There are no loops and
no assignment: a formula takes as many steps as it has signs.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

MAX_LENGTH = 2000
MAX_DEPTH = 60

Value = float
Lookup = Callable[[str], Value]
Function = Callable[..., Value]
Node = Callable[[Lookup], Value]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)"
    r"|(?P<name>[A-Za-z_]\w*(?:\.\w+)*)"
    r"|(?P<sign>\|\||&&|[<>=!]=|[-+*/%^<>!?:(),]))"
)
_BINARY: Mapping[str, tuple[int, Callable[[float, float], float]]] = {
    "||": (2, lambda a, b: float(bool(a) or bool(b))),
    "&&": (3, lambda a, b: float(bool(a) and bool(b))),
    "==": (4, lambda a, b: float(a == b)),
    "!=": (4, lambda a, b: float(a != b)),
    "<": (4, lambda a, b: float(a < b)),
    "<=": (4, lambda a, b: float(a <= b)),
    ">": (4, lambda a, b: float(a > b)),
    ">=": (4, lambda a, b: float(a >= b)),
    "+": (5, operator.add),
    "-": (5, operator.sub),
    "*": (6, operator.mul),
    "/": (6, operator.truediv),
    "%": (6, math.fmod),
    "^": (8, math.pow),
}
_UNARY = 7
_TERNARY = 1


class FormulaError(ValueError):
    """A formula that cannot be read, or that fails on some values."""


class MissingVariable(FormulaError):
    """A variable that an activity does not have, and for which there is no default."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula ready to run, and the names it looks up."""

    evaluate: Node
    names: frozenset[str]


def parse(text: str, functions: Mapping[str, Function]) -> Formula:
    """Read a formula; FormulaError says where it stops making sense."""
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"a formula may have at most {MAX_LENGTH} characters")
    parser = _Parser(_tokens(text), functions)
    node = parser.expression(0, 0)
    if parser.peek()[1]:
        raise FormulaError(f"unexpected {parser.peek()[1]!r}")
    return Formula(node, frozenset(parser.names))


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise FormulaError(f"cannot read {text[place:].strip()[:20]!r}")
        kind = match.lastgroup or ""
        tokens.append((kind, match[kind]))
        place = match.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], functions: Mapping[str, Function]) -> None:
        self._tokens = tokens
        self._place = 0
        self._functions = functions
        self.names: set[str] = set()

    def peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", "")

    def _take(self, expected: str = "") -> tuple[str, str]:
        token = self.peek()
        if not token[1] or (expected and token[1] != expected):
            raise FormulaError(f"expected {expected or 'a value'!r}, found {token[1] or 'the end'!r}")
        self._place += 1
        return token

    def expression(self, binding: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise FormulaError(f"a formula may be nested at most {MAX_DEPTH} deep")
        left = self._prefix(depth)
        while True:
            sign = self.peek()[1]
            if sign == "?" and binding < _TERNARY:
                left = self._ternary(left, depth)
            elif sign in _BINARY and _BINARY[sign][0] > binding:
                self._take()
                power, function = _BINARY[sign]
                # `^` groups to the right: what follows may hold another one.
                right = self.expression(power - 1 if sign == "^" else power, depth + 1)
                left = _binary(function, left, right)
            else:
                return left

    def _ternary(self, condition: Node, depth: int) -> Node:
        self._take("?")
        yes = self.expression(0, depth + 1)
        self._take(":")
        no = self.expression(0, depth + 1)
        return lambda lookup: yes(lookup) if condition(lookup) else no(lookup)

    def _prefix(self, depth: int) -> Node:
        kind, text = self._take()
        if kind == "number":
            number = float(text)
            return lambda lookup: number
        if kind == "name":
            return self._call(text, depth) if self.peek()[1] == "(" else self._name(text)
        if text == "(":
            inner = self.expression(0, depth + 1)
            self._take(")")
            return inner
        if text in "-!":
            operand = self.expression(_UNARY, depth + 1)
            return (
                (lambda lookup: -operand(lookup))
                if text == "-"
                else (lambda lookup: float(not operand(lookup)))
            )
        raise FormulaError(f"unexpected {text!r}")

    def _name(self, name: str) -> Node:
        self.names.add(name)
        return lambda lookup: lookup(name)

    def _call(self, name: str, depth: int) -> Node:
        function = self._functions.get(name)
        if function is None:
            raise FormulaError(f"there is no function {name!r}")
        self._take("(")
        arguments: list[Node] = []
        while self.peek()[1] != ")":
            arguments.append(self.expression(0, depth + 1))
            if self.peek()[1] != ")":
                self._take(",")
        self._take(")")
        return lambda lookup: function(*(argument(lookup) for argument in arguments))


def _binary(function: Callable[[float, float], float], left: Node, right: Node) -> Node:
    return lambda lookup: function(left(lookup), right(lookup))
