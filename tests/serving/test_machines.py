"""Servers on a Ray cluster of two nodes, of which one is lost on the way."""

import numpy as np
import pytest

from cascade_qec.cli import main
from cascade_qec.serving import Client, RemoteStream
from cascade_qec.serving.machines import Machines
from cascade_qec.serving.service import Service
from tests.serving.conftest import circuit_of, eventually, there


def test_many_machines_need_tls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--decoders", "pymatching", "--ray", "auto"]) == 2
    assert "expected --certificate, --key and --token_file where other machines can reach it" in capsys.readouterr().err


# Ray leaves sockets and files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_sessions_of_a_lost_node_are_told_and_others_go_on() -> None:
    import ray
    from ray import cluster_utils

    circuit = circuit_of()
    nothing = np.zeros((1, circuit.num_detectors), np.bool_)
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        node = cluster.add_node(num_cpus=1)
        ray.init(address=cluster.address, log_to_driver=False)
        machines = Machines("auto", Service(("pymatching",)), host="127.0.0.1")
        machines.update(0)
        head, other = machines.addresses
        with Client(head) as first, Client(other) as second, Client(f"ipv4:{head},{other}") as both:
            streams = [client.open(circuit, "pymatching") for client in (first, second)]
            for stream in streams:
                stream.push(nothing[:, :4])
            cluster.remove_node(node, allow_graceful=False)
            assert eventually(lambda: machines.update(0.1) or len(machines.addresses) == 1)
            lost = [streams.index(stream) for stream in streams if not went_on(stream, nothing)]
            assert len(lost) == 1
            assert machines.addresses == [[other, head][lost[0]]]
            assert not there(both.open(circuit, "pymatching"), nothing, [5]).observables.any()
            cluster.add_node(num_cpus=1)
            assert eventually(lambda: machines.update(0.1) or len(machines.addresses) == 2)
            with Client(machines.addresses[1]) as third:
                assert not there(third.open(circuit, "pymatching"), nothing, [5]).observables.any()
        assert machines.stop(0) == 0
    finally:
        ray.shutdown()
        cluster.shutdown()


def went_on(stream: RemoteStream, events: np.ndarray) -> bool:
    """Whether it was decided to its end, and not told that its server is gone."""
    try:
        return not there(stream, events, [5]).observables.any()
    except ConnectionError:
        return False
