"""What every family's tests count."""

from __future__ import annotations

from scipy.stats import binom

from cascade_calibration import bench, simulation


def check_family(name: str, shots: int, *, snr: float = 10.0, right: float = 0.9, cured: float = 0.8) -> None:
    """Draws of every mode of a family: statuses right, parameters covered, and suggested ranges that succeed.

    The bounds lie far below what the bench counts, so that chance does not fail them; seeds are fixed besides.
    """
    found = bench.run(name, snr, shots)
    assert {mode for mode, _ in found.confusion} == set(simulation.get(name).modes)
    assert found.balanced() >= right, dict(found.confusion)
    stated = sum(found.stated.values())
    # of 95 % intervals more miss but with a probability below 1e-3
    missed = stated - sum(found.covered.values())
    assert missed <= binom.ppf(0.999, stated, 0.05), (found.covered, found.stated)
    curable = sum(found.curable.values())
    assert curable == 0 or sum(found.cured.values()) / curable >= cured, (found.cured, found.curable)
