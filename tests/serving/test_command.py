"""``cascade serve``: who may connect, and how it stops."""

from __future__ import annotations

import signal
import socket
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from cascade_qec.cli import main
from cascade_qec.errors import CascadeError
from cascade_qec.serving import Client
from tests.serving.conftest import Start, circuit_of, here, said, sampled, there

HERE = Path(__file__).parent
TLS = ["--certificate", str(HERE / "localhost.crt"), "--key", str(HERE / "localhost.key")]


@pytest.mark.slow
def test_strangers_are_kept_out_and_a_stop_lets_sessions_end(start: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    flags = ["--host", "0.0.0.0", *TLS, "--token_file", str(tmp_path / "token"), "--metrics_port", "0"]
    process, address = start(*flags)
    port = address.rpartition(":")[2]
    metrics = said(process, r"Metrics on (http://127.0.0.1:\d+/metrics)")
    circuit = circuit_of()
    events = sampled(circuit, 1)
    with Client(f"localhost:{port}") as client, pytest.raises(ConnectionError):
        client.open(circuit, "pymatching")
    for token in (None, "open barley"):
        refused = pytest.raises(CascadeError, match="expected the server's token")
        with Client(f"localhost:{port}", certificate=TLS[1], token=token) as client, refused:
            client.open(circuit, "pymatching")
    several = f"ipv4:127.0.0.1:{port},127.0.0.1:1"
    with Client(several, certificate=TLS[1], token="open sesame", server_name="localhost") as client:
        stream = client.open(circuit, "pymatching")
        stream.push(events[:, :4])
        with urllib.request.urlopen(metrics) as page:
            text = page.read().decode()
        assert "\ncascade_sessions 1.0\n" in text
        assert '\ncascade_sessions_ended_total{status="UNAUTHENTICATED"} 2.0\n' in text
        process.send_signal(signal.SIGTERM)
        said(process, "Stopping: no more sessions are opened, those that are open have 30 s to end")
        with pytest.raises(ConnectionError, match="the server is stopping, and opens no more sessions"):
            client.open(circuit, "pymatching")
        assert there(stream, events, [4]).observables == here("pymatching", circuit, events).observables
    said(process, "Stopped: no sessions had to be ended")
    assert process.wait(120) == 0


@pytest.mark.slow
def test_a_second_signal_or_time_ends_sessions(start: Start) -> None:
    circuit = circuit_of()
    for flags, signals in (([], 2), (["--drain_seconds", "0.2"], 1)):
        process, address = start(*flags)
        with Client(address) as client:
            stream = client.open(circuit, "pymatching")
            stream.push(np.zeros((1, 4), np.bool_))
            process.send_signal(signal.SIGTERM)
            said(process, "Stopping: .*")
            for _ in range(signals - 1):
                process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionError, match="the server stops before this session has ended"):
                stream.result()
        said(process, "Stopped: 1 sessions had to be ended")
        assert process.wait(120) == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--host", "0.0.0.0"], "expected --certificate, --key and --token_file"),
        (["--host", "example.org", *TLS], "expected --certificate, --key and --token_file"),
        (TLS[:2], "expected --certificate and --key, got one without the other"),
        (["--token_file", "EMPTY"], "expected a token, one line of printable ASCII"),
        (["--certificate", TLS[3], "--key", TLS[3]], "expected a certificate and its private key"),
        (["--certificate", str(HERE), "--key", TLS[3]], f"got {HERE}, {TLS[3]}: [Errno 21] Is a directory"),
        (["--certificate", TLS[1], "--key", str(HERE / "encrypted.key")], "its private key without a pass phrase, got"),
        (["--decoders", "pymatchin"], "unknown classical decoder 'pymatchin': did you mean pymatching?"),
        (["--decoders", "pymatching~3+3"], "expected decoders without windows, which clients choose"),
        (["--decoders", "cascade:surface_d3+bposd-lowest"], "thresholds or fallbacks"),
        (["--decoders", ","], "expected decoders that clients can ask for"),
    ],
)
def test_mistakes(flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").write_text("\n")
    flags = [flag.replace("EMPTY", str(tmp_path / "empty")) for flag in flags]
    assert main(["serve", "--decoders", "pymatching", "--port", "0", *flags]) == 2
    assert message in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert main(["serve", "--decoders", "pymatching", "--port", port]) == 2
        assert f"expected an address that is free to listen on, got 127.0.0.1:{port}" in capfd.readouterr().err
        assert main(["serve", "--decoders", "pymatching", "--port", "0", "--metrics_port", port]) == 2
        assert "in use" in capfd.readouterr().err
