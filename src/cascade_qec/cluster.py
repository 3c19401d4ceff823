"""Clusters of Ray: ``ray start --head`` on one machine and ``ray start --address=...`` on the others make one.

Every machine of it needs the same cascade-qec and stim. A process connects to it from any of them.
"""

from __future__ import annotations

import signal
import threading
from importlib import import_module
from types import ModuleType

from cascade_qec.errors import CascadeError


def connected(address: str) -> tuple[ModuleType, bool]:
    """Ray, connected to a cluster, and whether it has been connected just now: then it is to be left again.

    Parameters
    ----------
    address
        As ``ray.init`` takes it; "auto" for the cluster that this machine is part of, "local" for one that is started
        here and ends with this process.

    Raises
    ------
    CascadeError
        If Ray is not installed, or there is no such cluster.
    """
    try:
        import_module("ray.exceptions")
        ray = import_module("ray")
    except ModuleNotFoundError as error:
        raise CascadeError(
            'workers on several machines need the package ray, which is not installed; get it with: pip install "ray"'
        ) from error
    if ray.is_initialized():
        return ray, False
    terminated = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False, configure_logging=False)
    except (ConnectionError, ValueError) as error:
        raise CascadeError(f"expected the address of a Ray cluster, auto or local, got {address!r}: {error}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminated)  # that of Ray aborts the process after three seconds
    return ray, True
