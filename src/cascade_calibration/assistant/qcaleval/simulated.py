"""Numbers first: samples drawn by our simulators, and our analysers' answers to their questions.

A sample has a picture of the data and the measurement itself. Question 6 asks for the status, question 5 (where all is
as it should be) for the parameters; both have the truth as reference.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

from cascade_calibration import analysis, bench, figures, readers, simulation
from cascade_calibration.assistant.qcaleval.samples import METADATA, Sample
from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole

ANALYSERS = "analysers"
"""In the place of a model's name: our analysers."""

_DPI = 90


def draw(folder: Path, families: tuple[str, ...], shots: int, snr: float) -> int:
    """Draw samples of each way to go right or wrong into a folder, and say how many.

    The seeds are neither those that the analysers were built with nor those of the published bench.

    Raises
    ------
    CascadeError
        If a family is unknown, or the folder cannot be written.
    """
    samples: dict[str, list[dict[str, object]]] = {}
    for name in families:
        family = analysis.get(name)
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CascadeError(f"{folder}: cannot be written: {error.strerror}") from error
        for mode, status in simulation.get(name).modes.items():
            for i in range(shots):
                drawn = bench.drawn(name, mode, snr, "questions", i)
                stem = f"{mode.replace(' ', '_')}_{i}"
                drawn.measurement.save(folder / name / f"{stem}.nc")
                picture = io.BytesIO()
                figures.draw_data(drawn.measurement).savefig(picture, format="png", dpi=_DPI)
                with written_whole(folder / name / f"{stem}.png") as file:
                    file.write(picture.getvalue())
                sample: dict[str, object] = {
                    "id": f"{name}_{stem}",
                    "experiment_type": name,
                    "image": f"{stem}.png",
                    "data": f"{stem}.nc",
                    "q6_prompt": _asked_status(family),
                    "q6_answer": f"Status: {status}",
                }
                if status == family.success and drawn.truth:
                    sample["q5_prompt"] = _asked_parameters(family, list(drawn.truth))
                    sample["q5_answer"] = json.dumps({key: float(value) for key, value in drawn.truth.items()})
                samples.setdefault(name, []).append(sample)
    with written_whole(folder / METADATA) as file:
        file.write(json.dumps(samples, indent=1).encode())
    return sum(map(len, samples.values()))


def analysers(sample: Sample, question: str) -> str:
    """What our analysers answer to questions 5 and 6 of samples that have their data.

    Raises
    ------
    CascadeError
        If a sample has none, or another question is asked.
    """
    if sample.data is None or question not in ("Q5", "Q6"):
        raise CascadeError(
            f"sample {sample.id}: expected {question} to be one that numbers answer (5 and 6), with the data beside it"
        )
    (measurement,) = readers.read(sample.file(sample.data))
    verdict = analysis.diagnose(measurement, sample.family)
    if question == "Q6":
        return f"Status: {verdict.status}"
    return json.dumps({name: one.value for name, one in verdict.parameters.items()})


def _asked_status(family: analysis.Family) -> str:
    statuses = "\n".join(f"- {one}" for one in family.statuses)
    return f"{_background(family)}\n\nWhich status has it? One of\n{statuses}\n\nAnswer in one line:\nStatus: <status>"


def _asked_parameters(family: analysis.Family, names: list[str]) -> str:
    form = ", ".join(f'"{name}": float' for name in names)
    asked = "Read these parameters, in SI units without prefixes (pixels in pictures). Answer in JSON:"
    return f"{_background(family)}\n\n{asked}\n{{{form}}}"


def _background(family: analysis.Family) -> str:
    return f"<image> shows the data of a measurement of the family {family.name} ({family.about})."
