"""Decoders on belief propagation: with ordered statistics, with localised statistics, and relayed."""

from dataclasses import dataclass

import numpy as np
import stim
from numpy.typing import NDArray

from cascade_qec.decoders.classical.decoder import ClassicalDecoder, Predict
from cascade_qec.decoders.classical.matrices import check_matrices


@dataclass(frozen=True)
class BPOSD(ClassicalDecoder):
    """Belief propagation with ordered-statistics decoding, as in stimbposd, with its defaults."""

    max_bp_iters: int = 30
    bp_method: str = "product_sum"
    osd_order: int = 60
    osd_method: str = "osd_cs"
    package = "stimbposd"

    @property
    def name(self) -> str:
        return "bposd-cs10" if self == BPOSD_CS10 else "bposd"

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        decoder = self.require().BPOSD(dem, **self.parameters)
        return decoder.decode_batch


BPOSD_CS10 = BPOSD(max_bp_iters=80, bp_method="minimum_sum", osd_order=10)
"""As the authors of Relay-BP set it for their comparison on the gross code."""


@dataclass(frozen=True)
class BPLSD(ClassicalDecoder):
    """Belief propagation with localised-statistics decoding (arXiv 2406.18655), as in ldpc.

    The settings are those of ldpc's own sinter decoder but for ``max_iter``, whose default there allows as many
    iterations as there are mechanisms; 30 is what BP+OSD has.
    """

    max_iter: int = 30
    bp_method: str = "minimum_sum"
    ms_scaling_factor: float = 0.625
    schedule: str = "parallel"
    lsd_method: str = "LSD_0"
    lsd_order: int = 0
    package = "ldpc"

    @property
    def name(self) -> str:
        return "bplsd"

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        self.require()
        from ldpc.bplsd_decoder import BpLsdDecoder

        matrices = check_matrices(dem)
        decoder = BpLsdDecoder(matrices.checks, error_channel=list(matrices.priors), **self.parameters)
        observables = matrices.observables.tocsr()

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            flips = np.zeros((len(dets), dem.num_observables), np.uint8)
            for shot, syndrome in enumerate(dets.astype(np.uint8)):
                flips[shot] = observables @ decoder.decode(syndrome) & 1
            return flips

        return decode


@dataclass(frozen=True)
class RelayBP(ClassicalDecoder):
    """Relay-BP (arXiv 2506.01779): belief propagation with disordered memory, in relays of up to `num_sets` legs.

    Of the first `stop_nconv` solutions the most likely one is taken: Relay-5. The defaults are its authors' for
    the gross code, `gamma0` and `gamma_dist_interval` tuned at p = 0.3 %; `RELAY_BP_SURFACE` has those that they
    tuned for rotated surface codes.
    """

    alpha: float = 1.0
    gamma0: float = 0.15
    pre_iter: int = 80
    num_sets: int = 300
    set_max_iter: int = 60
    gamma_dist_interval: tuple[float, float] = (-0.22628432386414646, 0.6216020925981884)
    stop_nconv: int = 5
    seed: int = 0
    package = "relay_bp"

    @property
    def name(self) -> str:
        return "relay-bp-surface" if self == RELAY_BP_SURFACE else "relay-bp"

    def prepare(self, dem: stim.DetectorErrorModel) -> Predict:
        relay_bp = self.require()
        matrices = check_matrices(dem)
        decoder = relay_bp.RelayDecoderF32(
            matrices.checks.tocsr(),
            error_priors=matrices.priors,
            stopping_criterion="nconv",
            logging=False,
            **self.parameters,
        )
        runner = relay_bp.ObservableDecoderRunner(decoder, matrices.observables.tocsr(), include_decode_result=False)

        def decode(dets: NDArray[np.bool_]) -> NDArray:
            if not len(dets):
                return np.zeros((0, dem.num_observables), np.uint8)
            return runner.decode_observables_batch(dets.astype(np.uint8), parallel=False, progress_bar=False)

        return decode


RELAY_BP_SURFACE = RelayBP(gamma0=0.65, gamma_dist_interval=(-0.25453802248, 0.98518104204))
