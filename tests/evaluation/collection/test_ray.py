"""Workers on a Ray cluster of two nodes, of which one is lost on the way."""

import sys
from contextlib import ExitStack

import pytest

from cascade_qec.errors import CascadeError
from cascade_qec.evaluation.collection.collector import collect
from cascade_qec.evaluation.collection.plan import cells, make_plan
from cascade_qec.evaluation.collection.ray import RayPool
from cascade_qec.evaluation.collection.store import CollectionStore, read_store
from cascade_qec.evaluation.collection.tasks import Machine
from tests.ray_cluster import add_node, ray_cluster

pytestmark = pytest.mark.slow


def test_missing_ray_is_told_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CascadeError, match="need the package ray, which is not installed; get it with: pip install"):
        RayPool("local")


# Ray leaves sockets and files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_no_shot_is_lost_or_counted_twice_with_a_node(tmp_path):
    import ray

    plan = make_plan(
        {
            "max_shots": 100_000,
            "max_errors": None,
            "experiments": [{"codes": ["surface_d3"], "p": [0.01], "bases": ["Z"], "decoders": ["pymatching"]}],
        },
        "test",
    )
    tasks = cells(plan, skipped=lambda reason: None)
    # a node that has gone is noticed at once; one that is slow to answer has as long as ever
    noticed = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 100}
    with ray_cluster(_system_config=noticed) as cluster, ExitStack() as stack:
        node = add_node(cluster)
        stack.callback(ray.shutdown)
        ray.init(address=cluster.address, log_to_driver=False)
        removed = []

        def remove_once(progress):
            if not removed:
                removed.append(node)
                cluster.remove_node(node, allow_graceful=False)

        with CollectionStore(tmp_path / "c.csv") as store, RayPool("auto", 2) as pool:
            effort = collect(tasks, store=store, pool=pool, machine=Machine("cpu", "float32"), report=remove_once)
        assert removed
        assert effort.shots == 100_000
        assert [stats.shots for stats in read_store(tmp_path / "c.csv")] == [100_000]
        with pytest.raises(CascadeError, match=r"as many workers as the Ray cluster has cores, [12], got 5"):
            RayPool("auto", 5)
