"""``cascade serve --ray`` on a cluster of two nodes, of which one is lost on the way."""

import signal
from types import SimpleNamespace

import numpy as np
import pytest

from cascade_qec.cli import main
from cascade_qec.serving import Client, RemoteStream, machines
from cascade_qec.serving.service import Service
from tests.ray_cluster import add_node, ray_cluster
from tests.serving.conftest import Start, circuit_of, said, there


def test_many_machines_need_tls(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--decoders", "pymatching", "--ray", "auto"]) == 2
    assert "expected --certificate, --key and --token_file where other machines can reach it" in capsys.readouterr().err


def test_a_cluster_without_machines_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = SimpleNamespace(remote=lambda **_: lambda actor: actor, nodes=list)
    slept: list[float] = []
    monkeypatch.setattr(machines, "connected", lambda _: (ray, False))
    monkeypatch.setattr(machines.time, "sleep", slept.append)
    machines.Machines("auto", Service(("pymatching",))).update(2.0)
    assert slept == [2.0]


# Ray leaves sockets and files to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.slow
def test_sessions_of_a_lost_node_are_told_and_others_go_on(start: Start) -> None:
    circuit = circuit_of()
    nothing = np.zeros((1, circuit.num_detectors), np.bool_)
    with ray_cluster() as cluster:
        node = add_node(cluster)
        process, listening = start("--ray", cluster.address, "--host", "127.0.0.1")
        head, other = listening.split(",")
        with Client(head) as first, Client(other) as second, Client(f"ipv4:{head},{other}") as both:
            streams = [client.open(circuit, "pymatching") for client in (first, second)]
            for stream in streams:
                stream.push(nothing[:, :4])
            cluster.remove_node(node, allow_graceful=False)
            left = said(process, r"Listening on ([^\s,]+), for pymatching")
            lost = [streams.index(stream) for stream in streams if not went_on(stream, nothing)]
            assert [[other, head][index] for index in lost] == [left]
            assert not there(both.open(circuit, "pymatching"), nothing, [5]).observables.any()
            add_node(cluster)
            _, new = said(process, r"Listening on (\S+,\S+), for pymatching").split(",")
            with Client(new) as third:
                assert not there(third.open(circuit, "pymatching"), nothing, [5]).observables.any()
        process.send_signal(signal.SIGTERM)
        said(process, "Stopped: no sessions had to be ended")
        assert process.wait(timeout=120) == 0


def went_on(stream: RemoteStream, events: np.ndarray) -> bool:
    """Whether it was decided to its end, and not told that its server is gone."""
    try:
        return not there(stream, events, [5]).observables.any()
    except ConnectionError:
        return False
