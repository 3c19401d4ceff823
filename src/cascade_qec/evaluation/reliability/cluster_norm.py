"""Cluster-based post-selection: how far the clusters of BP+LSD have grown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical import BPLSD, check_matrices
from cascade_qec.decoders.projection import basis_detectors, project
from cascade_qec.evaluation.reliability.soft_outputs import SoftDecoder, SoftResult

PARAMETERS: Mapping[str, Any] = {
    "max_iter": 30,
    "bp_method": "product_sum",
    "schedule": "parallel",
    "lsd_method": "LSD_0",
    "lsd_order": 0,
    # Clusters are wanted of every shot, also where BP alone has found an explanation.
    "always_run_lsd": True,
}
"""Settings of ldpc's BpLsdDecoder: those of the paper on cluster norms.

The decoder "bplsd" of :mod:`cascade_qec.decoders.classical` has minimum-sum BP, and LSD only where BP finds nothing.
"""


@dataclass(eq=False)
class ClusterNorm(SoftDecoder):
    """BP+LSD on the detectors of the experiment's basis, with the norms of its clusters.

    LSD grows clusters of error mechanisms around lit detectors, in the order of BP's reliabilities, until every
    cluster explains its detectors. After Lee, English, Bartlett, "Efficient post-selection for general quantum
    LDPC codes" (arXiv 2510.05795) the norm of order a of clusters C is ``(sum over C of |C|^a)^(1/a)``, as a
    fraction of all mechanisms; with "LLR" a cluster's size |C| is the sum of its mechanisms' ``ln((1 - p) / p)``
    instead, as a fraction of all of these. Large clusters mean ambiguity, so the scores are minus the norms. The
    norms are those of order 2, and the observables those of LSD's own explanation, even where BP has found one.

    Attributes
    ----------
    decoder
        ldpc's BpLsdDecoder, with statistics.
    kept : int64 [kept]
        Detectors of the basis.
    observables : uint8 [mechanisms, k]
        Observables that each mechanism flips.
    costs : float64 [mechanisms]
        ``ln((1 - p) / p)``.
    """

    decoder: Any
    kept: NDArray[np.int64]
    observables: NDArray[np.uint8]
    costs: NDArray[np.float64]
    num_detectors: int
    num_observables: int
    name = "bplsd-clusters-filtered"
    methods = ("cluster size", "cluster LLR")

    @classmethod
    def of(cls, dem: stim.DetectorErrorModel) -> ClusterNorm:
        """Prepare for the shots of a memory experiment's error model.

        Raises
        ------
        CascadeError
            If ldpc is not installed.
        """
        BPLSD().require()
        from ldpc.bplsd_decoder import BpLsdDecoder

        kept = basis_detectors(dem)
        matrices = check_matrices(project(dem, kept))
        p = matrices.priors
        decoder = BpLsdDecoder(matrices.checks, error_channel=p.tolist(), **PARAMETERS)
        decoder.set_do_stats(True)
        observables = matrices.observables.toarray().T
        return cls(decoder, kept, observables, np.log1p(-p) - np.log(p), dem.num_detectors, dem.num_observables)

    def outputs(self, dets: NDArray[np.bool_]) -> SoftResult:
        events = dets[:, self.kept].astype(np.uint8)
        observables = np.empty((len(dets), self.observables.shape[1]), dtype=np.bool_)
        sizes, costs = np.empty(len(dets)), np.empty(len(dets))
        for shot, lit in enumerate(events):
            errors = self.decoder.decode(lit)
            # uint8 overflows at 256, which leaves the parity alone
            observables[shot] = self.observables[errors.astype(bool)].sum(axis=0, dtype=np.uint8) % 2
            found = self.decoder.statistics["individual_cluster_stats"].values()
            # clusters that another one has absorbed are not active
            clusters = [cluster["final_bits"] for cluster in found if cluster["active"]]
            sizes[shot] = _norm(np.array([len(cluster) for cluster in clusters], dtype=np.float64))
            costs[shot] = _norm(np.array([self.costs[cluster].sum() for cluster in clusters]))
        # + 0.0 turns the negative zero of shots without clusters into zero
        scores = np.column_stack([0.0 - sizes / len(self.costs), 0.0 - costs / self.costs.sum()])
        return SoftResult(observables, scores=scores)


def _norm(sizes: NDArray[np.float64]) -> float:
    """Of order 2."""
    return float(np.sqrt((sizes**2).sum()))
