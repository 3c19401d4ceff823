"""A Ray cluster on this machine, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

TRIES = 3


def add_node(cluster: Any, **settings: Any) -> Any:
    """A node of one core more. Ray gives it 30 seconds to start, however busy the machine is: so it has three tries."""
    for tried in range(1, TRIES + 1):
        try:
            return cluster.add_node(num_cpus=1, **settings)
        except Exception:  # Ray has no class of its own for it
            if tried == TRIES:
                raise


@contextmanager
def ray_cluster(**settings: Any) -> Iterator[Any]:
    """A ``ray.cluster_utils.Cluster`` of one node without a dashboard, of these other settings."""
    from ray import cluster_utils

    cluster = cluster_utils.Cluster()
    try:
        add_node(cluster, include_dashboard=False, **settings)
        yield cluster
    finally:
        cluster.shutdown()
