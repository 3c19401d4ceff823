"""Sums and products of quantities, as workflows write them: ``"qubit_frequency - 5 MHz"``, ``"4 * t1"``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cascade_calibration.quantities import Quantity
from cascade_calibration.units import is_known
from cascade_qec.errors import CascadeError, unknown

_LONGEST = 120
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(?P<unit>[^\W\d]\w*|%)?"
    r"|(?P<name>[^\W\d]\w*)|\{(?P<measured>[^{}]+)\}|(?P<sign>[-+*/()]))\s*"
)

_Node = Quantity | str | tuple[str, "_Node"] | tuple[str, "_Node", "_Node"]
"""A number, a name (that of a measured parameter in braces), or a sign and what it joins."""


@dataclass(frozen=True)
class Expression:
    """Numbers with units, names of settings, ``{names}`` of what the verdict measured, ``+ - * /`` and brackets.

    Attributes
    ----------
    names, measured
        That it needs.

    Raises
    ------
    CascadeError
        If the text is none.

    Examples
    --------
    >>> str(Expression("{f_01} - 5 MHz").value({}, {"f_01": Quantity(5e9, "Hz")}))
    '4.995 GHz'
    """

    text: str
    names: frozenset[str] = field(init=False, compare=False, repr=False)
    measured: frozenset[str] = field(init=False, compare=False, repr=False)
    _tree: _Node = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        parser = _Parser(self.text)
        object.__setattr__(self, "_tree", parser.whole())
        object.__setattr__(self, "names", frozenset(parser.names))
        object.__setattr__(self, "measured", frozenset(parser.measured))

    def value(self, settings: Mapping[str, Quantity], measured: Mapping[str, Quantity]) -> Quantity:
        """What it comes to.

        Raises
        ------
        CascadeError
            If a name is unknown, units do not fit, or a divisor is zero.
        """

        def of(node: _Node) -> Quantity:
            if isinstance(node, Quantity):
                return node
            if isinstance(node, str):
                kind, known = ("measured", measured) if node[0] == "{" else ("setting", settings)
                name = node.strip("{}")
                if name not in known:
                    raise unknown(f"{kind} parameter", name, known, "none" if not known else "")
                return known[name]
            if len(node) == 2:
                return -of(node[1])
            sign, first, second = node[0], of(node[1]), of(node[2])
            if sign in "+-":
                return first + (second if sign == "+" else -second)
            return first * second if sign == "*" else first / second

        try:
            return of(self._tree)
        except CascadeError as error:
            raise CascadeError(f"{self.text!r}: {error}") from error


class _Parser:
    """Descends from sums to products to what has no parts."""

    def __init__(self, text: str) -> None:
        self._text, self.names, self.measured = text[:_LONGEST], set[str](), set[str]()
        if len(text) > _LONGEST:
            raise self._wrong(f"an expression of at most {_LONGEST} characters")
        self._tokens = list(self._split())

    def whole(self) -> _Node:
        tree = self._sum()
        if self._tokens:
            raise self._wrong("an operator between values")
        return tree

    def _split(self) -> Iterator[re.Match[str]]:
        place = 0
        while place < len(self._text):
            token = _TOKEN.match(self._text, place)
            if not token:
                raise self._wrong("numbers with units, names, {measured names}, + - * / and brackets")
            yield token
            place = token.end()

    def _sign(self, among: str) -> str:
        if self._tokens and (self._tokens[0]["sign"] or " ") in among:
            return self._tokens.pop(0)["sign"]
        return ""

    def _sum(self) -> _Node:
        tree = self._product()
        while sign := self._sign("+-"):
            tree = (sign, tree, self._product())
        return tree

    def _product(self) -> _Node:
        tree = self._single()
        while sign := self._sign("*/"):
            tree = (sign, tree, self._single())
        return tree

    def _single(self) -> _Node:
        if self._sign("-"):
            return "-", self._single()
        if self._sign("("):
            tree = self._sum()
            if not self._sign(")"):
                raise self._wrong("a closing bracket")
            return tree
        if not self._tokens or self._tokens[0]["sign"]:
            raise self._wrong("a value")
        token = self._tokens.pop(0)
        if token["number"]:
            unit = token["unit"] or ""
            if unit and not is_known(unit):
                raise self._wrong(f"a unit after {token['number']}, not {unit!r}")
            return Quantity.of(f"{token['number']} {unit}")
        if token["name"]:
            self.names.add(token["name"])
            return token["name"]
        self.measured.add(token["measured"])
        return f"{{{token['measured']}}}"

    def _wrong(self, expected: str) -> CascadeError:
        return CascadeError(f"expected {expected}, got {self._text!r}")
