"""A workflow on instruments of QCoDeS: the adapter that your laboratory needs, tried on QCoDeS' dummies.

    pip install qcodes
    python examples/laboratory_with_qcodes.py

The dummy meter falls exponentially with the dummy source's voltage; here a volt stands for a microsecond of delay.
"""

# pyright: reportMissingImports=false
# QCoDeS is no dependency of ours.

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from qcodes.instrument_drivers.mock_instruments import DummyInstrument, DummyInstrumentWithMeasurement
from qcodes.parameters import ParameterBase

from cascade_calibration import Measurement
from cascade_calibration.laboratory import Experiment, Parameter, Quantity, sweep
from cascade_calibration.workflows import Run, read_workflow
from cascade_qec.errors import CascadeError


@dataclass(frozen=True)
class Wired:
    """An experiment, the QCoDeS parameter that sweeps its axis (in `scale` of the base unit), and the one to read."""

    experiment: Experiment
    swept: ParameterBase
    scale: float
    read: ParameterBase


class QCodesLaboratory:
    """A `cascade_calibration.laboratory.Laboratory`. Everything that arrives in `run` is within bounds already."""

    name = "qcodes dummies"

    def __init__(self, wired: Mapping[str, Wired], targets: Mapping[str, Mapping[str, Quantity]]) -> None:
        self.experiments = {name: one.experiment for name, one in wired.items()}
        self.targets, self._wired = targets, wired

    def seconds(self, experiment: str, parameters: Mapping[str, float]) -> float:
        """Guess how long a run takes; the clock on the wall says how long it took."""
        return 1e-5 * parameters["shots"] * parameters[f"{self.experiments[experiment].axes[0]}_points"]

    def run(self, experiment: str, target: str, parameters: Mapping[str, float]) -> Measurement:
        """Set, wait and read, point after point."""
        wired = self._wired[experiment]
        (axis,) = wired.experiment.axes
        low, high, points = (parameters[f"{axis}_{end}"] for end in ("from", "to", "points"))
        x, signal = np.linspace(low, high, int(points)), []
        try:
            for value in x:
                wired.swept.set(value / wired.scale)
                signal.append(np.mean([wired.read.get() for _ in range(int(parameters["shots"]))]))
        except (ValueError, TypeError, RuntimeError, OSError) as error:  # what validators and drivers raise
            raise CascadeError(f"{wired.swept.full_name} or {wired.read.full_name}: {error}") from error
        family, unit = wired.experiment.family, wired.experiment[f"{axis}_from"].unit
        return Measurement.of(
            {axis: (x, unit)}, {"signal": (signal, "V")}, family=family, name=experiment, target=target
        )


WORKFLOW = """
name = "relaxation"
[budget]
runs = 10
time = "10 min"
[[steps]]
name = "t1"
experiment = "t1"
parameters = { delay_to = "4 us" }  # too short: the verdict says how far to go
criteria = ["relative uncertainty of T1 <= 0.05"]
learns = { t1 = "{T1}" }
"""


def main() -> None:
    source = DummyInstrument("source", gates=["ch1"])
    meter = DummyInstrumentWithMeasurement("meter", setter_instr=source)
    try:
        t1 = Experiment(
            name="t1",
            about="relaxation after a pi pulse",
            family="t1",
            parameters=(
                *sweep("delay", "time after the pulse", "s", 0.0, 1e-4, most=201, default=(0.0, 2e-5)),
                Parameter("shots", "readings of each point", "", 1, 100, default=5, whole=True),
            ),
            axes=("delay",),
        )
        laboratory = QCodesLaboratory({"t1": Wired(t1, source.ch1, 1e-6, meter.v1)}, {"q0": {}})
        with Run.begin(read_workflow(WORKFLOW), laboratory, folder=None) as run:
            state = run.finish(lambda proposal, decision: print(f"{proposal.step}: {decision.action}, {decision.text}"))
        print(f"T1 = {state.targets['q0'].results['t1'].estimate}; the dummy's is 5 us")
    finally:
        source.close()
        meter.close()


if __name__ == "__main__":
    main()
