"""The page in a browser, served by any web server from any folder."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stim

import cascade_qec as cascade
from cascade_qec.page import HOST, own_shots, write
from tests.page.conftest import drive


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.slow
@pytest.mark.usefixtures("modules")
def test_the_page_does_what_a_reader_wants(node: str, chromium: str, tmp_path: Path) -> None:
    write(tmp_path / "some/folder")
    circuit = cascade.load("surface_d3").experiment(0.007, rounds=4, basis="X")
    events, truth = circuit.compile_detector_sampler(seed=8).sample(600, separate_observables=True)
    circuit.to_file(tmp_path / "c.stim")
    stim.write_shot_data_file(data=events, path=tmp_path / "s.b8", format="b8", num_detectors=events.shape[1])
    stim.write_shot_data_file(data=truth, path=tmp_path / "o.b8", format="b8", num_detectors=1)
    write(tmp_path / "own", own_shots(tmp_path / "c.stim", tmp_path / "s.b8", tmp_path / "o.b8"))
    with ThreadingHTTPServer((HOST, 0), partial(_Quiet, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://{HOST}:{server.server_address[1]}"
        try:
            drive(node, chromium, "browser.ts", PAGE_ADDRESS=f"{address}/some/folder/", PAGE_OWN=f"{address}/own/")
        finally:
            server.shutdown()
            thread.join()
