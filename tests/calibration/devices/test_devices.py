"""Devices from files, where codes fit on them, and the noise that they make."""

# Stim's instructions and loops share a type.
# pyright: reportAttributeAccessIssue=false, reportOperatorIssue=false, reportCallIssue=false

import json
import math

import pytest
import stim

from cascade_calibration.devices import Qubit, Times, read_device
from cascade_calibration.devices.placement import placed
from cascade_calibration.noise import code_pairs, device_noise, twirled_idling
from cascade_calibration.simulation.devices import drifted, grid_device
from cascade_qec import circuits, codes
from cascade_qec.cli import main
from cascade_qec.errors import CascadeError, CascadeWarning
from cascade_qec.evaluation.ignorance import LoopRow
from cascade_qec.tables import read_rows

TIMES = {"single_qubit": "25 ns", "two_qubit": "42 ns", "readout": "600 ns", "reset": "160 ns"}


def grid(size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Names as Cirq has them, and neighbours on a square grid."""
    names = [f"{row}_{column}" for row in range(size) for column in range(size)]
    pairs = [
        (f"{row}_{column}", f"{row + down}_{column + 1 - down}")
        for row in range(size)
        for column in range(size)
        for down in (0, 1)
        if row + down < size and column + 1 - down < size
    ]
    return names, pairs


def cirq(size: int, **left_out: str) -> dict:
    """A report in the layout of Cirq's, of made-up figures; a metric's target that is left out."""
    names, pairs = grid(size)
    ones = {
        "single_qubit_idle_t1_micros": 60.0,
        "single_qubit_rb_incoherent_error_per_gate": 3e-4,
        "single_qubit_rb_pauli_error_per_gate": 9e-4,
        "single_qubit_p00_error": 4e-3,
        "single_qubit_p11_error": 8e-3,
    }
    twos = {
        "two_qubit_sqrt_iswap_gate_xeb_pauli_error_per_cycle": 9e-3,
        "two_qubit_parallel_cz_gate_xeb_pauli_error_per_cycle": 5e-3,
    }
    metrics = [
        {"name": name, "targets": [*targets], "values": [{"doubleVal": value}]}
        for figures, places in ((ones, [(name,) for name in names]), (twos, pairs))
        for name, value in figures.items()
        for targets in places
        if left_out.get(name) not in ("all", *targets)
    ]
    return {"cirq_type": "Calibration", "metrics": {"metrics": metrics}}


def qiskit() -> dict:
    """Properties in the layout of Qiskit's: four qubits in a ring, of which the last is broken."""

    def value(name: str, number: float, unit: str = "") -> dict:
        return {"date": "2026-01-31T00:00:00", "name": name, "unit": unit, "value": number}

    qubit = [value("T1", 150.0, "us"), value("T2", 90.0, "us"), value("readout_error", 0.01)]
    qubit += [value("readout_length", 1200.0, "ns"), value("frequency", 4.9, "GHz")]
    single = [value("gate_error", 3e-4), value("gate_length", 32.0, "ns")]
    gates = [{"gate": "sx", "name": f"sx{q}", "qubits": [q], "parameters": single} for q in range(3)]
    gates += [{"gate": "sx", "name": "sx3", "qubits": [3], "parameters": [value("gate_error", 1.0)]}]
    for a, b, error in ((0, 1, 5e-3), (1, 0, 4e-3), (1, 2, 6e-3), (2, 3, 7e-3), (3, 0, 1.0)):
        parameters = [value("gate_error", error), value("gate_length", 68.0, "ns")]
        gates.append({"gate": "cz", "name": f"cz{a}_{b}", "qubits": [a, b], "parameters": parameters})
    return {"backend_name": "ring", "backend_version": "1.0.0", "qubits": [qubit] * 4, "gates": gates, "general": []}


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def test_twirled_idling_is_a_channel_whose_paulis_decay_with_t1_and_t2():
    """Z decays by 1 - 2 (p_X + p_Y), and X by 1 - 2 (p_Y + p_Z), as relaxation and dephasing have it."""
    t, t1, t2 = 2e-6, 40e-6, 60e-6
    x, y, z = twirled_idling(t, t1, t2)
    assert 1 - 2 * (x + y) == pytest.approx(math.exp(-t / t1))
    assert 1 - 2 * (y + z) == pytest.approx(math.exp(-t / t2))
    assert twirled_idling(t, t1, 3 * t1)[2] == twirled_idling(t, t1, 2 * t1)[2] >= 0


def test_each_place_of_a_circuit_has_the_noise_of_its_qubits():
    own, code = grid_device(7, seed=1), codes.get("surface_d3")
    layout = placed(code_pairs(code), own)
    circuit = circuits.memory(code, rounds=3, noise=device_noise(own, code, layout)).flattened()
    found: dict[str, dict[tuple[int, ...], list]] = {}
    for line in circuit:
        if line.gate_args_copy() and stim.gate_data(line.name).is_noisy_gate:
            for group in line.target_groups():
                place = tuple(target.value for target in group)
                found.setdefault(line.name, {}).setdefault(place, []).append(line.gate_args_copy())
    assert {tuple(sorted(pair)) for pair in found["DEPOLARIZE2"]} == {tuple(sorted(pair)) for pair in code_pairs(code)}
    for (a, b), strengths in found["DEPOLARIZE2"].items():
        assert strengths == [[pytest.approx(1.25 * own.pair_error(layout[a], layout[b]), rel=1e-5)]] * len(strengths)
    for name, value in {"DEPOLARIZE1": lambda q: 1.5 * q.gate_error, "M": lambda q: q.readout_error}.items():
        for (number,), strengths in found[name].items():
            wanted = value(own.qubits[layout[number]])
            assert strengths == [[pytest.approx(wanted, rel=1e-5)]] * len(strengths)
    # a data qubit in a round of four layers of gates waits for readout and reset, and in the other layers for as long
    # as a gate takes: probabilities of X add up to about a quarter of the time over T1
    qubit, waits = own.qubits[layout[4]], found["PAULI_CHANNEL_1"][(4,)]
    waited = 3 * 600e-9 + 3 * 160e-9
    assert waited < 4 * qubit.t1 * sum(each[0] for each in waits) < 1.3 * waited


def test_a_place_has_all_pairs_and_the_best_is_taken():
    own, pairs = grid_device(7, seed=1), code_pairs(codes.get("surface_d3"))
    layout = placed(pairs, own)
    assert len(set(layout)) == 17

    def cost(layout: list[str]) -> float:
        gates = [own.pair_error(layout[a], layout[b]) for a, b in pairs]
        return sum(gates) + sum(own.qubits[name].readout_error for name in layout)

    best = cost(layout)  # None among them cannot be added up
    places = [tuple(map(int, name.split("_"))) for name in layout]
    moved = [[f"{row + i}_{column + j}" for row, column in places] for i in range(-6, 7) for j in range(-6, 7)]
    costs = [cost(each) for each in moved if own.qubits.keys() >= set(each)]
    assert len(costs) > 3
    assert min(costs) == best
    with pytest.raises(
        CascadeError, match="expected a place for 49 qubits with 80 gates among 49 qubits with 84, found none"
    ):
        placed(code_pairs(codes.get("surface_d5")), own)


def test_cirq_reports(tmp_path):
    report = write(tmp_path / "report.json", cirq(6, single_qubit_p00_error="3_3"))
    with pytest.raises(CascadeError, match="expected gate times, which Cirq's reports lack"):
        read_device(report)
    own = tmp_path / "device.toml"
    lines = [f'{name} = "{time}"' for name, time in TIMES.items()]
    own.write_text("\n".join(['report = "report.json"', "[times]", *lines, "[qubits.0_0]", "readout_error = 0.2"]))
    found = read_device(own)
    assert found.name == "device"
    assert "3_3" not in found.qubits  # it lacks a metric
    assert len(found.qubits) == 35
    qubit = found.qubits["0_1"]
    assert (qubit.t1, qubit.gate_error, qubit.readout_error) == pytest.approx((60e-6, 6e-4, 6e-3))
    # the average error of waiting for as long as a gate takes is the incoherent error
    assert 2 / 3 * sum(twirled_idling(25e-9, qubit.t1, qubit.t2)) == pytest.approx(3e-4, rel=1e-3)
    assert found.pair_error("0_1", "0_0") == pytest.approx(4 / 5 * (5e-3 - 2 * 9e-4))
    assert found.qubits["0_0"].readout_error == 0.2
    assert found.times.readout == pytest.approx(600e-9)
    write(report, cirq(3, single_qubit_idle_t1_micros="all"))
    with pytest.raises(CascadeError, match="expected the metric single_qubit_idle_t1_micros, got single_qubit_rb"):
        read_device(own)


def test_qiskit_properties(tmp_path):
    found = read_device(write(tmp_path / "props.json", qiskit()))
    assert (found.name, [*found.qubits]) == ("ring", ["0", "1", "2"])
    assert found.pairs == {("0", "1"): 4e-3, ("1", "2"): 6e-3}
    assert found.qubits["0"] == Qubit(t1=150e-6, t2=pytest.approx(90e-6), gate_error=3e-4, readout_error=0.01)
    assert found.times == Times(
        single_qubit=pytest.approx(32e-9), two_qubit=pytest.approx(68e-9), readout=pytest.approx(1.2e-6)
    )
    lacking = qiskit()
    for qubit in lacking["qubits"]:
        qubit[:] = [value for value in qubit if value["name"] != "T2"]
    with pytest.raises(CascadeError, match="expected qubits with T1, T2, readout_error, got T1, readout_error"):
        read_device(write(tmp_path / "props.json", lacking))
    strange = qiskit()
    next(value for value in strange["qubits"][0] if value["name"] == "T1")["unit"] = "furlong"
    with pytest.raises(CascadeError, match="T1: expected a time, got 'furlong'"):
        read_device(write(tmp_path / "props.json", strange))


def test_the_command_writes_a_circuit_with_a_device_s_noise(tmp_path, capsys):
    write(tmp_path / "report.json", cirq(6))
    own = write(tmp_path / "device.json", {"name": "mine", "report": "report.json", "times": TIMES})
    out = tmp_path / "c.stim"
    assert main(["calibration", "circuit", str(own), "--code", "surface_d3", "--basis", "X", "--out", str(out)]) == 0
    assert "device: mine, 36 qubits, 60 pairs" in capsys.readouterr().out
    circuit = stim.Circuit.from_file(out)
    assert circuit.num_detectors == 24
    assert circuit.detector_error_model(approximate_disjoint_errors=True, decompose_errors=True).num_errors > 100
    assert main(["calibration", "circuit", str(own), "--code", "bb72", "--out", str(tmp_path / "no.stim")]) == 2
    assert "expected a place for 144 qubits" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[qubits", "^[^:]*device.toml: expected TOML"),
        (f"a = {'[' * 50_000}", "device.toml: expected TOML"),
        ("colour = 1", "expected the keys name, pairs, qubits, report, times, got colour"),
        ('report = "other.json"', "other.json: cannot be read"),
        ("[qubits.a]\nt1 = 3", "qubit a, t1: expected a time with its unit, such as '68 us', got 3"),
        (
            '[qubits.a]\nt1 = "3 us"',
            "qubit a: expected t1, t2, .*perhaps reset_error.*, got no t2, gate_error, readout_error$",
        ),
        ("{q}{t}colour = '3 us'", "times: expected single_qubit, two_qubit, readout .*perhaps reset.*, got colour$"),
        ("{q}readout_fidelity = 1\n{t}", "qubit b: expected t1, .*, got readout_fidelity$"),
        ("{q}reset_error = 'low'\n{t}", "qubit b, reset_error: expected a number, got 'low'"),
        ("{q}{t}[pairs]\n'a b' = true", "pair a b: expected a number, got True"),
        ("qubits = 3", "qubits: expected a table of names and values, got 3"),
        ('[times]\nreadout = "5 Hz"', "times, readout: expected a time with its unit"),
        ("{q}{t}[pairs]\n'a c' = 0.1", "expected pairs of two of the qubits, got a c"),
        ("{q}{t}[pairs]\n'a x b' = 0.1", "pairs: expected two qubits, such as 'a b', got 'a x b'"),
        ("{q}{t}[pairs]\n'a b' = 0.1\n'b a' = 0.2", "expected one error of each pair, got two of a b"),
        ("{q}{t}[pairs]\n'a b' = 0.7", "pair a b: expected a number between 0 and 0.5, got 0.7"),
        ("{q}{t}[qubits.c]\nt1 = '-1 us'\nt2 = '1 us'\ngate_error = 0\nreadout_error = 0", "qubit c, t1: expected"),
    ],
)
def test_what_is_no_device_is_refused(text, message, tmp_path):
    qubits = "".join(f"[qubits.{q}]\nt1 = '9 us'\nt2 = '9 us'\ngate_error = 0\nreadout_error = 0.1\n" for q in "ab")
    times = "".join(["[times]\n", *(f"{name} = '{time}'\n" for name, time in TIMES.items())])
    path = tmp_path / "device.toml"
    path.write_text(text.replace("{q}", qubits).replace("{t}", times))
    with pytest.raises(CascadeError, match=message):
        read_device(path)


def test_a_coherence_time_that_cannot_be_is_said_and_cut(tmp_path):
    properties = qiskit()
    for values in properties["qubits"]:
        next(value for value in values if value["name"] == "T2")["value"] = 301.0
    with pytest.warns(CascadeWarning, match="a T2 of at most 2 T1, got more of qubit 0, 1, 2: 2 T1 is taken"):
        read_device(write(tmp_path / "props.json", properties))


@pytest.mark.parametrize("words", [["--code", "nonsense"], ["--decoder", "nonsense"]])
def test_a_loop_that_cannot_be_leaves_no_folder(words, tmp_path):
    assert main(["calibration", "loop", *words, "--out", str(tmp_path / "new" / "loop.csv")]) == 2
    assert not (tmp_path / "new").exists()


def test_a_device_that_drifts_is_learnt_anew(tmp_path, capsys):
    before = grid_device(7, seed=3)
    after = drifted(before, 4, seed=3)
    worse = [after.pairs[pair] / before.pairs[pair] for pair in before.pairs]
    assert {round(each, 6) for each in worse} == {1, 4}
    assert drifted(before, 4, seed=3) == after
    out = tmp_path / "loop.csv"
    settings = ["--decoder", "pymatching-correlated", "--learning", "50000", "--shots", "50000", "--out", str(out)]
    assert main(["calibration", "loop", "--rounds", "3", *settings]) == 0
    assert "surface_d3 in 50,000 shots" in capsys.readouterr().out
    (row,) = read_rows(out, LoopRow)
    # not knowing costs more than a tenth of the failures; of that more than half is saved beyond doubt
    assert row.untold > 1.1 * row.told
    assert row.removed.low > 0.5
