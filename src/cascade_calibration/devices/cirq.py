"""Cirq's calibration reports, such as that of Willow: metrics with targets. They have no times."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

from cascade_qec.errors import CascadeError

FORMAT = "Cirq's calibration"
_T1 = "single_qubit_idle_t1_micros"
_INCOHERENT = "single_qubit_rb_incoherent_error_per_gate"
_PAULI = "single_qubit_rb_pauli_error_per_gate"
_CYCLE = re.compile(r"two_qubit_(parallel_)?(\w+)_gate_xeb_pauli_error_per_cycle")


def fits(data: dict[str, Any]) -> bool:
    return "metrics" in data


def parts(data: dict[str, Any], times: dict[str, float]) -> dict[str, Any]:
    """What a report says, as `read_device` takes it. Qubits that lack a metric are left out.

    A Pauli error e is an average error of 2/3 e for one qubit, 4/5 e for two. That of a cycle has the gates of both
    qubits in it, which are taken off. T2 follows from the incoherent average error of a gate, t / (6 T1) + t / (3 T2).
    """
    metrics = _metrics(data)
    zero, one = (_first(metrics, f"parallel_{each}_error", f"single_qubit_{each}_error") for each in ("p00", "p11"))
    t1, incoherent, pauli = (_first(metrics, name) for name in (_T1, _INCOHERENT, _PAULI))
    if "single_qubit" not in times:
        raise CascadeError(
            "expected gate times, which Cirq's reports lack: write a device file with report and [times], got none"
        )
    qubits: dict[str, dict[str, float]] = {}
    for (name,) in t1.keys() & incoherent.keys() & pauli.keys() & zero.keys() & one.keys():
        seconds, place = 1e-6 * t1[(name,)], (name,)
        dephasing = 3 * incoherent[place] / times["single_qubit"] - 1 / (2 * seconds)
        qubits[name] = {
            "t1": seconds,
            # not longer than relaxation allows, where the error is less than that of relaxation alone
            "t2": 1 / max(dephasing, 1 / (2 * seconds)),
            "gate_error": 2 / 3 * pauli[place],
            "readout_error": (zero[place] + one[place]) / 2,
        }
    # CZ first, and what was measured on all pairs at once
    cycles = sorted((found[2] != "cz", found[1] is None, name) for name in metrics if (found := _CYCLE.fullmatch(name)))
    if not cycles:
        raise _missing("two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle", metrics)
    pairs = {
        " ".join(pair): 4 / 5 * max(0.0, error - sum(pauli[(each,)] for each in pair))
        for pair, error in metrics[cycles[0][2]].items()
        if all(each in qubits for each in pair)
    }
    return {"qubits": dict(sorted(qubits.items())), "pairs": pairs}


def _metrics(data: dict[str, Any]) -> dict[str, dict[tuple[str, ...], float]]:
    """Values by metric and targets."""
    listed = data["metrics"]
    found: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    try:
        for one in listed["metrics"] if isinstance(listed, dict) else listed:
            # singleQubitIdleT1Micros as well as single_qubit_idle_t1_micros
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", one["name"]).lower()
            value = next(iter(one["values"][0].values()))  # doubleVal, floatVal or int32Val
            found[name][tuple(one.get("targets", ()))] = float(value)
    except (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise CascadeError("expected metrics with name, targets and values, got another layout") from error
    return found


def _first(metrics: dict[str, dict[tuple[str, ...], float]], *names: str) -> dict[tuple[str, ...], float]:
    for name in names:
        if metrics.get(name):
            return metrics[name]
    raise _missing(" or ".join(names), metrics)


def _missing(name: str, metrics: dict[str, Any]) -> CascadeError:
    return CascadeError(f"expected the metric {name}, got {', '.join(metrics) or 'none'}")
