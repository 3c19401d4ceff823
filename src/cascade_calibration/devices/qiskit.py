"""Qiskit's backend properties: lists of what has a name, a value and a unit, by qubit and by gate."""

from __future__ import annotations

from statistics import median
from typing import Any

from cascade_calibration.units import to_base
from cascade_qec.errors import CascadeError

FORMAT = "Qiskit's backend properties"
_SINGLE = ("sx", "x", "u2")
_QUBIT = {"t1": "T1", "t2": "T2", "readout_error": "readout_error"}


def fits(data: dict[str, Any]) -> bool:
    return "gates" in data and isinstance(data.get("qubits"), list)


def parts(data: dict[str, Any], times: dict[str, float]) -> dict[str, Any]:
    """What the properties say, as `read_device` takes it.

    Times are medians. Qubits and pairs that lack a value, are not operational, or whose error is 1/2 or more, as that
    of broken ones is given, are left out.
    """
    try:
        qubits = {str(number): _values(listed) for number, listed in enumerate(data["qubits"])}
        gates = [
            (str(gate["gate"]), tuple(map(str, gate["qubits"])), _values(gate["parameters"])) for gate in data["gates"]
        ]
    except CascadeError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise CascadeError("expected qubits and gates with name, value and unit, got another layout") from error
    working = [gate for gate in gates if gate[2].get("operational", 1) and gate[2].get("gate_error", 1) < 1 / 2]
    single = next((name for name in _SINGLE if any(gate[0] == name for gate in working)), None)
    errors = {place[0]: values["gate_error"] for name, place, values in working if name == single and len(place) == 1}
    both = [(place, values) for _, place, values in working if len(place) == 2]
    if single is None or not both:
        lacking = f"the gate {' or '.join(_SINGLE)}" if single is None else "a gate on two qubits"
        got = ", ".join(dict.fromkeys(name for name, *_ in gates)) or "none"
        raise CascadeError(f"expected {lacking} with a gate_error, got {got}")
    found = {
        name: {key: values[own] for key, own in _QUBIT.items()} | {"gate_error": errors[name]}
        for name, values in qubits.items()
        if name in errors and values.get("operational", 1) and values.keys() >= set(_QUBIT.values())
        if values["readout_error"] < 1 / 2
    }
    if not found:
        got = ", ".join(next(iter(qubits.values()), {})) or "none"
        raise CascadeError(f"expected qubits with {', '.join(_QUBIT.values())}, got {got}")
    lengths = {
        "single_qubit": [values.get("gate_length") for name, _, values in working if name == single],
        "two_qubit": [values.get("gate_length") for _, values in both],
        "readout": [values.get("readout_length") for values in qubits.values()],
        "reset": [values.get("gate_length") for name, _, values in gates if name == "reset"],
    }
    return {
        "name": data.get("backend_name", ""),
        "qubits": found,
        # the better direction, where both are given
        "pairs": {
            " ".join(sorted(place)): min(v["gate_error"] for p, v in both if {*p} == {*place})
            for place, _ in both
            if all(each in found for each in place)
        },
        "times": {name: median(own) for name, all_ in lengths.items() if (own := [one for one in all_ if one])},
    }


def _values(listed: list[dict[str, Any]]) -> dict[str, float]:
    """By name, in SI units."""
    found: dict[str, float] = {}
    for one in listed:
        name, unit = str(one["name"]), str(one.get("unit", ""))
        factor, base = to_base(unit)
        wanted = "s" if name in ("T1", "T2") or name.endswith("_length") else "" if name.endswith("_error") else base
        if base != wanted:
            raise CascadeError(f"{name}: expected {'a time' if wanted else 'no unit'}, got {unit!r}")
        found[name] = factor * float(one["value"])
    return found
