"""A server as it is asked for on the command line: for this machine, or for each of many."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc

from cascade_qec.serving.experiments import load
from cascade_qec.serving.limits import Limits
from cascade_qec.serving.server import Server


@dataclass(frozen=True)
class Service:
    """What a server is started with, wherever it runs.

    Attributes
    ----------
    decoders
        Their names.
    device, precision
        Of models.
    port
        To listen on; 0 for one that is free.
    batch_seconds, limits
        As `Server` takes them.
    tls
        A private key and its certificate, PEM.
    token
        That clients have to show.
    metrics_port
        For Prometheus, on the machine itself; 0 for one that is free.
    """

    decoders: tuple[str, ...]
    device: str = "auto"
    precision: str = "auto"
    port: int = 0
    batch_seconds: float = 0.0
    limits: Limits = field(default_factory=Limits)
    tls: tuple[bytes, bytes] | None = None
    token: str | None = None
    metrics_port: int | None = None

    async def start(self, host: str) -> tuple[Server, str]:
        """Load the decoders and listen; gives the server and its address, ``host:port``.

        Raises
        ------
        CascadeError
            If a decoder is unknown, or the address cannot be had.
        """
        decoders = load(list(self.decoders), device=self.device, precision=self.precision)
        server = Server(decoders, batch_seconds=self.batch_seconds, token=self.token, limits=self.limits)
        if self.metrics_port is not None:
            server.metrics.serve(self.metrics_port)
        host = f"[{host}]" if ":" in host else host
        credentials = None if self.tls is None else grpc.ssl_server_credentials([self.tls])
        port = await server.start(f"{host}:{self.port}", credentials)
        return server, f"{host}:{port}"
