"""Units: what files call them, in SI units and a factor."""

from __future__ import annotations

import math

_PREFIXES = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_BASES = ("s", "Hz", "V", "A", "W", "T", "rad", "Phi0")
_OTHERS = {
    "deg": (math.pi / 180, "rad"),
    "°": (math.pi / 180, "rad"),
    "%": (0.01, ""),
    "sec": (1.0, "s"),
    "min": (60.0, "s"),
    "h": (3600.0, "s"),
    **dict.fromkeys(("a.u.", "arb.", "arb", "#", "1", "fraction", "normalized", "None", "none", "-"), (1.0, "")),
}
_KNOWN = {prefix + base: (factor, base) for base in _BASES for prefix, factor in _PREFIXES.items()} | _OTHERS


def to_base(unit: str) -> tuple[float, str]:
    """The factor that turns a value in `unit` into one in its base unit, and that base unit.

    Logarithmic units (dB, dBm) and unknown ones are their own base.

    Examples
    --------
    >>> to_base("us"), to_base("GHz"), to_base("dBm")
    ((1e-06, 's'), (1000000000.0, 'Hz'), (1.0, 'dBm'))
    """
    return _KNOWN.get(unit.strip(), (1.0, unit.strip()))


def is_known(unit: str) -> bool:
    """Whether it is a unit with a base unit."""
    return unit in _KNOWN


def with_prefix(unit: str, *values: float) -> tuple[float, str]:
    """The factor and the unit that make values in a base unit easy to read: the largest is between 1 and 1000.

    Examples
    --------
    >>> with_prefix("s", 0.0, 3.2e-5)
    (1000000.0, 'us')
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if unit not in _BASES or unit in ("rad", "Phi0") or largest == 0:
        return 1.0, unit
    names = {factor: name for name, factor in reversed(_PREFIXES.items()) if name not in ("µ", "μ")}
    factor = max((one for one in names if one <= largest * (1 + 1e-9)), default=min(names))
    return 1 / factor, names[factor] + unit
