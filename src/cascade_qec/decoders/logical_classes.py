"""From what the network says of many logical operators to one decision about all observables.

The k observables of a shot have 2^k joint values, the logical classes. Each operator that the network is asked about is
a sum of observables and of checks, whose values the detectors know: for or against every class it has something to say.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cascade_qec.lattice import Lattice, LogicalOperators, logical_classes
from cascade_qec.recognition import ObservableMap


class LogicalClasses:
    """Posterior of the logical classes, and what it means for an experiment's observables.

    The logits of operators are added up, see `LogicalOperators.votes`. For bb72 the confidence is then true.

    Parameters
    ----------
    lattice : Lattice
        Of the experiment.
    readout : LogicalOperators
        The operators.
    observables : ObservableMap
        The experiment's observables in those of the code.
    device : torch.device
    """

    def __init__(
        self, lattice: Lattice, readout: LogicalOperators, observables: ObservableMap, device: torch.device
    ) -> None:
        k = lattice.code.k
        classes = logical_classes(k).astype(np.int64)
        self._observables = observables

        def tensor(array: NDArray, dtype: torch.dtype = torch.float32) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device=device, dtype=dtype)

        self._check_sites = tensor(lattice.check_sites(lattice.basis), torch.int64)
        self._checks = tensor(readout.checks)
        self._votes = tensor(readout.votes)
        # Observables may be fewer than k, so that several classes give one value.
        values, of_class = np.unique(classes @ observables.logicals.T % 2, axis=0, return_inverse=True)
        self._values = tensor(values)
        self._of_class = None if len(values) == len(classes) else tensor(of_class.ravel(), torch.int64)
        self._order = tensor(np.argsort(of_class.ravel()), torch.int64) if self._of_class is None else None

    def decide(
        self, logits: torch.Tensor, states: torch.Tensor, detection_events: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32], NDArray[np.float32]]:
        """The likeliest joint value of the observables.

        Parameters
        ----------
        logits : float32 [shots, operators]
        states : uint8 [sites, shots]
        detection_events : bool [shots, detectors]

        Returns
        -------
        observables : bool [shots, observables]
        probabilities : float32 [shots, observables]
            P(flipped) of each.
        confidence : float32 [shots]
            P(none of them wrong).
        """
        events = (states[self._check_sites] == 1).sum(dim=0).to(torch.float32)  # [checks, shots]
        odd = (self._checks @ events).t() % 2
        posterior = torch.softmax((logits * (1 - 2 * odd)) @ self._votes, dim=1)
        if self._order is not None:
            joint = posterior[:, self._order]
        else:
            assert self._of_class is not None
            joint = torch.zeros(len(posterior), len(self._values), device=posterior.device)
            joint.index_add_(1, self._of_class, posterior)
        confidence, best = joint.max(dim=1)
        observables = self._values[best].cpu().numpy().astype(bool)
        probabilities = (joint @ self._values).clamp(0, 1).cpu().numpy()
        turned = self._observables.turned(detection_events)
        return observables ^ turned, np.where(turned, 1 - probabilities, probabilities), confidence.cpu().numpy()
