"""Which check, and when, each detector of an error model is, by what the model alone says.

The mechanisms tell the times. Where each data qubit meets three checks of each basis, they also tell which data qubits
each check has, and coordinates are not looked at. With other codes, hook errors look like errors of data qubits: there,
coordinates say which check is where, and without them, the model is compared with those of known circuits.
"""

from __future__ import annotations

import numpy as np
import stim

from cascade_qec.codes import BASES, CSSCode
from cascade_qec.error_models import Mechanisms
from cascade_qec.errors import CascadeError
from cascade_qec.recognition.dem import triples
from cascade_qec.recognition.dem.chains import distinct, experiment_of, linked, measurement_errors, oriented, repeated
from cascade_qec.recognition.dem.comparison import isomorphic_skeletons
from cascade_qec.recognition.dem.places import places
from cascade_qec.recognition.skeleton import Skeleton


def dem_skeletons(dem: stim.DetectorErrorModel, code: CSSCode) -> list[Skeleton]:
    """Work out the checks and times of a memory experiment's detectors.

    Parameters
    ----------
    dem
        Error model under circuit-level noise, of any tool: with all detectors or those of one basis only, in any order,
        with any coordinates. Unless each of the code's data qubits meets three checks of each basis, it has coordinates
        of the checks, or the mechanisms of a circuit of this package.
    code
        The code that it is to be of.

    Returns
    -------
    list of Skeleton
        Candidates, best first, one unless the model was compared with a circuit. They are right up to a symmetry of the
        code, which may exchange X with Z, and up to the direction of time. Checks without detectors are left out.

    Raises
    ------
    CascadeError
        If the model is of no such experiment.
    """
    mechanisms, kept = distinct(Mechanisms.of(dem))
    if not kept.any():
        raise CascadeError(f"expected an error model of {code.name}, got one without errors that flip detectors")
    if all((code.checks(basis).sum(axis=0) == triples.DEGREE).all() for basis in BASES):
        chains = linked(measurement_errors(mechanisms), kept, code)
        rounds, primary = experiment_of(chains, code)
        supports = triples.supports(mechanisms, chains, primary, code)
    else:
        place = places(dem, kept, code)
        if place is None:
            return isomorphic_skeletons(mechanisms, kept, code)
        chains = linked(repeated(mechanisms, place), kept, code)
        rounds, primary = experiment_of(chains, code)
        check = np.empty(len(primary), dtype=np.int64)
        check[chains.check[kept]] = place[kept]
        if len(np.unique((check < len(code.hx)) ^ primary)) > 1:
            raise CascadeError(f"expected one kind of {code.name}'s checks in the first and the last slice, got both")
        supports = np.vstack([code.hx, code.hz])[check]
    degree = int(code.hx.sum(axis=0).max())
    chains = oriented(chains, mechanisms, primary, degree)
    # The other basis' checks have no detector in the first slice.
    time = np.where(kept, chains.position + ~primary[chains.check], 0)
    return [Skeleton(rounds=rounds, check=chains.check, time=time, supports=supports, primary=primary)]
