"""Curves with a known law."""

from collections.abc import Callable

import numpy as np
import pytest

from cascade_qec.evaluation.fits.points import Curve, Point

PS = (0.001, 0.002, 0.003, 0.004, 0.005, 0.006)


@pytest.fixture
def make_curve() -> Callable[..., Curve]:
    """A curve whose failures are those expected of log rates, rounded, or given ones."""

    def make(
        log_rate: Callable[[np.ndarray], np.ndarray],
        *,
        code: str = "surface_d3",
        decoder: str = "matching",
        n: int = 9,
        k: int = 1,
        rounds: int = 3,
        ps: tuple[float, ...] = PS,
        shots: int = 1_000_000,
        failures: np.ndarray | None = None,
    ) -> Curve:
        def curve(counts: np.ndarray) -> Curve:
            return Curve(
                tuple(
                    Point(
                        decoder=decoder,
                        code=code,
                        noise="uniform",
                        p=p,
                        rounds=rounds,
                        bases="Z",
                        k=k,
                        n=n,
                        d=None,
                        checks=n - k,
                        shots=shots,
                        failures=int(count),
                    )
                    for p, count in zip(ps, counts, strict=True)
                )
            )

        if failures is None:
            block = curve(np.zeros(len(ps))).outcomes.block_error(log_rate(np.log(ps)))
            failures = np.round(shots * block)
        return curve(failures)

    return make
