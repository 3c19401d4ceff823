"""What an answer scores, 0 to 1, as the authors of QCalEval score it.

Questions 2, 4 and 6 are right or wrong. Question 5 is the mean over its fields, by tolerances. Question 1 is half its
fields and half its key points, question 3 all key points; whether a point was met, a judge says (`judging`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from pydantic_core import from_json

from cascade_calibration import analysis
from cascade_calibration.assistant.qcaleval.samples import Sample, Tolerance

_OUTCOMES = ("Expected behavior", "Anomalous behavior", "Suboptimal parameters", "Apparatus issue")
_ASSESSMENTS = ("Unreliable", "No fit", "Reliable")  # in this order: one is a part of another
_SAME = ({"TOO_MANY_OSC", "SAMPLING_TOO_COARSE"},)
"""Statuses that pass for each other."""
_NOTHING = ("unreliable", "null", "none")
_AXES = ("x_axis", "y_axis")


def score(sample: Sample, question: str, answer: str) -> float | None:
    """What an answer scores by itself: of question 1 its fields, of question 3 nothing that could be told here."""
    reference = sample.references[question]
    match question:
        case "Q1":
            return described(parsed(answer), parsed(reference))
        case "Q2":
            return _same(
                labelled(answer, "Classification", _OUTCOMES), labelled(reference, "Classification", _OUTCOMES)
            )
        case "Q4":
            return _same(labelled(answer, "Assessment", _ASSESSMENTS), labelled(reference, "Assessment", _ASSESSMENTS))
        case "Q5":
            return extracted(parsed(answer), parsed(reference), sample.q5_scoring)
        case "Q6":
            return diagnosed(answer, reference)
    return None


def parsed(text: str) -> Any:
    """The JSON in an answer: all of it, what is fenced, or what is in the outermost braces or brackets; else None."""
    fenced = re.search(r"```(?:json)?\s*\n?(.*?)\n?```", text, flags=re.DOTALL)
    for part in (
        text,
        fenced[1] if fenced else "",
        text[text.find("{") : text.rfind("}") + 1],
        text[text.find("[") : text.rfind("]") + 1],
    ):
        try:
            return from_json(part.strip())
        except ValueError:
            continue
    return None


def labelled(text: str, label: str, known: Sequence[str]) -> str | None:
    """Which of the known values stands after `label:` at the end of a line."""
    found = re.search(rf"{label}:(.+)$", text, flags=re.IGNORECASE | re.MULTILINE)
    return next((one for one in known if found and one.lower() in found[1].lower()), None)


def diagnosed(answer: str, reference: str) -> float:
    """Whether the statuses are the same."""
    right = _status(reference, frozenset(re.findall(r"[A-Z_0-9]{3,}", reference)) - {"N/A"})
    found = _status(answer, _statuses() | {right or ""})
    return float(right is not None and (found == right or any({found, right} <= same for same in _SAME)))


def described(answer: Any, reference: Any) -> float:
    """Of question 1: plot type and scales, for each picture in turn; pictures too many or too few count as wrong."""
    answers, references = _list(answer), _list(reference)
    return _mean(
        _mean(
            [
                _same(_get(given, "plot_type"), _get(right, "plot_type")),
                *(_same(_get(_get(given, axis), "scale"), _get(_get(right, axis), "scale")) for axis in _AXES),
            ]
        )
        for given, right in _pairs(answers, references)
    )


def extracted(answer: Any, reference: Any, tolerances: Mapping[str, Tolerance]) -> float:
    """Of question 5: the mean over the fields of the reference, or over those with a tolerance if there are any."""
    if isinstance(reference, list):
        return _mean(extracted(given, right, tolerances) for given, right in _pairs(_list(answer), reference))
    if not isinstance(reference, dict):
        return 0.0
    fields = [name for name in reference if not tolerances or name in tolerances]
    return _mean(
        field(_get(answer, name), reference[name], tolerances.get(name) or usual(reference[name])) for name in fields
    )


def usual(right: Any) -> Tolerance:
    """Ours, where none was shipped: whole numbers to 1 (half: 2), others to 5 % (10 %), words exactly."""
    if isinstance(right, bool):
        return Tolerance(type="bool")
    if isinstance(right, int):
        return Tolerance(type="int_count", tol_full=1, tol_half=2)
    if isinstance(right, float):
        return Tolerance(type="pct", tol_full=0.05, tol_half=0.1)
    if isinstance(right, list):
        whole = all(isinstance(one, int) for one in right)
        return Tolerance(type="array_int_match" if whole else "array_float_match", tol_full=1 if whole else 0.1)
    return Tolerance(type="enum")


def field(given: Any, right: Any, tolerance: Tolerance) -> float:
    """A field of question 5, by the kind of its tolerance."""
    nothing = given is None or (isinstance(given, str) and given.lower() in _NOTHING)
    if right is None or right == "Unreliable":
        return float(nothing)
    if given is None:
        return 0.0
    match tolerance.type:
        case "bool":
            truth = bool(given) if given in (0, 1) else {"true": True, "false": False}.get(str(given).lower())
            return float(truth is right)
        case "enum":
            return _same(given, right) if isinstance(given, str) else 0.0
        case "pct":
            return _relative(given, right, tolerance)
        case "abs":
            return _absolute(given, right, tolerance)
        case "int_count" | "count_float":
            if not isinstance(given, list) and not isinstance(right, list):
                return _absolute(given, right, tolerance)
            return _in_turn([_absolute(*pair, tolerance) for pair in _both(given, right)], given, right)
        case "coord_list":
            if not isinstance(given, list) or not isinstance(right, list) or len(given) != len(right):
                return 0.0
            return _mean(_absolute(*pair, tolerance) for pair in zip(given, right, strict=True))
        case "array_int_match":
            return _matched(given, right, tolerance.tol_full)
        case "array_float_match":
            if not isinstance(given, list) or not isinstance(right, list):
                return 0.0
            alone = Tolerance(type="pct", tol_full=tolerance.tol_full, tol_half=tolerance.tol_full)
            return _in_turn([_relative(*pair, alone) for pair in _both(given, right)], given, right) if right else 1.0
    return 0.0


@cache
def _statuses() -> frozenset[str]:
    """Of all families; those of QCalEval's are the same as ours."""
    return frozenset(status for name in analysis.names() for status in analysis.get(name).statuses)


def _status(text: str, known: frozenset[str]) -> str | None:
    for label in ("Status", "Classification"):
        found = re.search(rf"\b{label}:\s*\**\s*([A-Z][A-Za-z_0-9]+)", text)
        if found and found[1].upper() in known:
            return found[1].upper()
    upper = text.upper()
    first = upper.strip().split("\n")[0].strip()
    if first in known:
        return first
    return next((one for one in sorted(known, key=len, reverse=True) if re.search(rf"\b{one}\b", upper)), None)


def _same(given: Any, right: Any) -> float:
    if given is None or right is None:
        return 0.0
    return float(str(given).strip().lower() == str(right).strip().lower())


def _absolute(given: Any, right: Any, tolerance: Tolerance) -> float:
    return _graded(abs(_number(given) - _number(right)), tolerance)


def _relative(given: Any, right: Any, tolerance: Tolerance) -> float:
    value, of = _number(given), _number(right)
    if of == 0:
        return float(abs(value) < 0.01)
    return _graded(abs(value - of) / abs(of), tolerance)


def _graded(difference: float, tolerance: Tolerance) -> float:
    return 1.0 if difference <= tolerance.tol_full else 0.5 if difference <= tolerance.tol_half else 0.0


def _matched(given: Any, right: Any, tolerance: float) -> float:
    """F1 of the numbers that have one of the others' within the tolerance."""
    if not isinstance(given, list) or not isinstance(right, list):
        return 0.0
    left = [_number(one) for one in right]
    for one in map(_number, given):
        near = next((other for other in left if abs(one - other) <= tolerance), None)
        if near is not None:
            left.remove(near)
    hits = len(right) - len(left)
    return 2 * hits / (len(given) + len(right)) if given or right else 1.0


def _in_turn(grades: list[float], given: Any, right: Any) -> float:
    """The mean over both in turn, less what one has too many."""
    longest = max(len(_list(given)), len(_list(right)))
    return sum(grades) / longest if longest else 1.0


def _both(given: Any, right: Any) -> list[tuple[Any, Any]]:
    return list(zip(_list(given), _list(right), strict=False))


def _pairs(given: list[Any], right: list[Any]) -> list[tuple[Any, Any]]:
    longest = max(len(given), len(right))
    return [(a, b) for a, b in zip(*([*one, *[None] * (longest - len(one))] for one in (given, right)), strict=True)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: Any) -> float:
    """As a float; what is none is NaN, which is near nothing."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _mean(values: Any) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0
