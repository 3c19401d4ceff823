"""Small tables of every kind, as the commands write them."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sinter

from cascade_qec.statistics import wilson

Write = Callable[[str, Sequence[Mapping[str, object]]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes rows as a CSV file."""

    def written(name: str, rows: Sequence[Mapping[str, object]]) -> Path:
        with (tmp_path / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return tmp_path / name

    return written


def interval(name: str, failed: int, shots: int) -> dict[str, float]:
    """A rate with its Wilson interval, as three columns."""
    rate = wilson(failed, shots)
    return {name: rate.value, f"{name}_low": rate.low, f"{name}_high": rate.high}


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """sinter's store: two distances, three decoders, two rates; tesseract never failed at d = 5, p = 0.1 %."""
    lines = [sinter.CSV_HEADER]
    for d in (3, 5):
        for decoder in (f"cascade:surface_d{d}", "pymatching", "tesseract-filtered"):
            for p, failed in ((0.001, 40), (0.002, 200)):
                about: dict[str, Any] = {"code": f"surface_d{d}", "d": d, "n": d * d, "k": 1, "p": p, "rounds": d}
                about |= {"basis": "Z", "noise": "uniform"}
                never = decoder == "tesseract-filtered" and d == 5 and p == 0.001
                stats = sinter.TaskStats(
                    strong_id=json.dumps([decoder, about]),
                    decoder=decoder,
                    json_metadata=about,
                    shots=10_000,
                    errors=0 if never else failed // d,
                    seconds=1.0,
                )
                lines.append(stats.to_csv_line())
    path = tmp_path / "collected.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


EXPERIMENT = {"code": "bb72", "rounds": 6, "basis": "Z"}
SAMPLED = {"seed": 1, "sampled_at": 0.005, "noise": "uniform", "parameters": ""}
SPECTRUM = [
    {"decoder": decoder, **EXPERIMENT, **SAMPLED, "exact": w == 0, "faults": w, "shots": 1000, "failures": failed}
    | (interval("fraction", failed, 1000) if w else {"fraction": 0, "fraction_low": 0, "fraction_high": 0})
    for decoder in ("cascade:bb72", "relay")
    for w, failed in ((0, 0), (3, 0), (4, 5), (5, 60))
]
RARE = [
    {"decoder": "pymatching", "code": "surface_d3", "rounds": 3, "basis": "Z", "p": p, "block_error": rate}
    | {"block_error_low": 0.5 * rate, "block_error_high": 2 * rate, "method": "a sum over numbers of faults"}
    | {"shots": 1000, "failures": 9, "effective_failures": 9.0, "exact_part": 0.0, "unknown": 0.0, **SAMPLED}
    for p, rate in ((1e-4, 1e-6), (5e-4, 1e-4))
]
FITS = [
    {"decoder": "pymatching", "code": "surface_d3", "rounds": 3, "bases": "Z", "form": form, "parameter": name}
    | {"p": "", "value": value, "value_low": value, "value_high": "inf", "log_likelihood": -3.0, "p_value": p_value}
    for form, name, value, p_value in (
        ("one term", "a", 500.0, ""),
        ("one term", "m1", 2.0, ""),
        ("one term", "warranted", 0, ""),
        ("two terms", "a", 1.0, ""),
        ("two terms", "m1", 1.0, ""),
        ("two terms", "b", 1e8, ""),
        ("two terms", "m2", 4.0, ""),
        ("two terms", "deviance", 1.0, 0.9),
        ("two terms", "warranted", 1, ""),
        ("two terms", "likelihood_ratio", 9.0, 0.01),
    )
]
LAMBDAS = [
    {"decoder": decoder, "code": "surface_d3..7", "rounds": "rounds = d", "bases": "Z", "form": "distances"}
    | {"parameter": "lambda", "p": 0.002, "value": value, "value_low": value - 1, "value_high": high}
    | {"log_likelihood": -3.0, "p_value": ""}
    for decoder, value, high in (("cascade:surface_d*", 8.0, 9.5), ("pymatching", 5.0, "inf"))
]
RELIABILITY = [
    {"decoder": "cascade:bb72", "p": 0.003, **EXPERIMENT, "of": of, "bin_low": low, "bin_high": high, "shots": 1000}
    | {"confidence": (low + high) / 2, "correct": correct, "error_of_fraction": 0.03, "seed": 1}
    for of in ("shot", "observable")
    for low, high, correct in ((0.001, 0.1, 0), (0.5, 0.7, 600), (0.9, 0.99, 950), (0.99, 1.0, 1000))
]
POST_SELECTION = [
    {"decoder": decoder, "p": p, **EXPERIMENT, "method": method, "discard": discard, "threshold": 0.9 - discard}
    | {"accepted": accepted, "shots": 1000, "failures": failed}
    | interval("accepted_fraction", accepted, 1000)
    | (interval("block_error", failed, accepted) if accepted else dict.fromkeys(interval("block_error", 0, 1), ""))
    | {"seed": 1}
    for decoder, method in (("cascade:bb72", "confidence"), ("bplsd", "cluster norm"))
    for p in (0.002, 0.003)
    for discard, accepted, failed in ((0.0, 1000, 50), (0.1, 903, 4), (0.5, 490, 0))
]
CIRCUMSTANCES = {"hardware": "two cores", "versions": "python 3.11", "commit": "abc"}


def _times(name: str, value: object) -> dict[str, object]:
    return {name: value, f"{name}_low": "", f"{name}_high": ""}


LATENCY = [
    {"decoder": decoder, "p": 0.003, **EXPERIMENT, "device": device, "precision": precision, "threads": 1}
    | {"batch": batch, "samples": 100, "shots": 1000}
    | _times("us_per_shot_p50", t)
    | _times("us_per_shot_p99", slow)
    | _times("us_per_shot_p999", "")
    | {"us_per_shot_mean": t, "cpu_us_per_shot_mean": t, "us_per_cycle_p50": t / 6, "failures": failed}
    | {"seed": 1, "parameters": "", "load_average": 0.5, **CIRCUMSTANCES}
    for decoder, device, precision, batch, t, slow, failed in (
        ("cascade:bb72", "cuda", "bfloat16", 1, 600.0, 900.0, 30),
        ("cascade:bb72", "cuda", "bfloat16", 64, 30.0, 33.0, 30),
        ("cascade:bb72", "cpu", "float32", 1, 9000.0, 12000.0, 30),
        ("relay", "cpu", "", 1, 6000.0, 7000.0, 0),
    )
]
REPLAY = [
    {"decoder": decoder, "p": 0.003, **EXPERIMENT, "decided": 3, "ahead": 3, "cadence_us": pace, "shots": 400}
    | {"failures": 9, "whole_failures": 8, "differ": 1, "us_per_round_mean": 20.0}
    | _times("latency_us_p50", 100.0)
    | _times("latency_us_p99", 300.0)
    | _times("latency_us_p999", "")
    | {"most_waiting": 4, "waiting": "1 2 3.5", "seed": 1, "parameters": "", "load_average": 0.5, **CIRCUMSTANCES}
    for decoder in ("cascade:local_bb72", "relay-bp")
    for pace in (1.0, 50.0)
]
LEARNING = "".join(
    json.dumps({"step": step, "shots": 100 * step} | more) + "\n"
    for step, more in (
        (7, {"loss": 0.5}),
        (10, {"block_error": {"0.002": 0.02, "0.005": 0.15}, "validation_shots": 2000}),
        (20, {"block_error": {"0.002": 0.0, "0.005": 0.125}, "validation_shots": 2000}),
    )
)
ESCALATION = [
    {"decoder": "cascade:bb72", "fallback": fallback, "p": 0.003, **EXPERIMENT, "part": part, "threshold": threshold}
    | {"shots": shots, "escalated": escalated, "escalated_fraction": escalated / shots, "failures": failed}
    | interval("block_error", failed, shots)
    | {"fallback_failures": 5, "worse": 1, "better": 2, "difference": 0.01, "difference_low": 0, "difference_high": 0.1}
    | {"us_per_shot": us, "us_per_shot_low": 0.9 * us, "us_per_shot_high": 1.1 * us}
    | {"batch": 512, "device": "cpu", "precision": "float32", "threads": 1}
    | {"seed": 1, "parameters": "", "load_average": 0.5, **CIRCUMSTANCES}
    for fallback, cost in (("relay-bp", 100_000.0), ("bposd-filtered", 5_000.0))
    for part, threshold, shots, escalated, failed, us in (
        ("network", 0.01, 1000, 0, 40, 900.0),
        ("curve", 0.5, 1000, 50, 20, 900 + 0.1 * cost),
        ("curve", 0.9, 1000, 300, 0, 900 + 0.5 * cost),
        ("chosen", 0.8, 500, 100, 2, 900 + 0.3 * cost),
        ("fallback", "", 1000, 1000, 5, cost),
    )
]
