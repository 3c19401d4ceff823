"""``cascade serve``: decode for other programs and machines."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_qec import limits
from cascade_qec.cli.options import Device, Precision, there
from cascade_qec.cli.progress import tell
from cascade_qec.errors import CascadeError

if TYPE_CHECKING:
    from cascade_qec.serving.service import Service

_PORTS = 2**16 - 1
_BYTES = 2**30

_EVERY = 2.0
"""Seconds after which machines of a cluster are counted again."""


def serve(
    decoders: Annotated[
        str, typer.Option(help="What clients can ask for, separated by commas: pymatching,cascade:local_surface")
    ],
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on; any but a loopback needs TLS and a token.  "
            "[default: 127.0.0.1; with --ray, each machine's]"
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=_PORTS, help="Port; 0 for one that is free.")] = 50051,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS: file of the certificate chain, PEM.", callback=there)
    ] = None,
    key: Annotated[Path | None, typer.Option(help="TLS: file of its private key, PEM.", callback=there)] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token_file", help="File of the token that clients have to show.", callback=there)
    ] = None,
    batch_microseconds: Annotated[
        int,
        typer.Option(
            "--batch_microseconds", min=0, max=10**6, help="A window waits for so long for others to be decided with."
        ),
    ] = 0,
    metrics_port: Annotated[
        int | None,
        typer.Option("--metrics_port", min=0, max=_PORTS, help="Answer Prometheus on this port of 127.0.0.1."),
    ] = None,
    max_sessions: Annotated[
        int, typer.Option("--max_sessions", min=1, max=10**5, help="Sessions that are open at a time.")
    ] = 256,
    max_experiment_bytes: Annotated[
        int, typer.Option("--max_experiment_bytes", min=1, max=_BYTES, help="Of a circuit or error model.")
    ] = 4 << 20,
    max_message_bytes: Annotated[
        int, typer.Option("--max_message_bytes", min=1, max=_BYTES, help="Of the rounds in one message.")
    ] = 1 << 18,
    max_rounds_behind: Annotated[
        int,
        typer.Option(
            "--max_rounds_behind", min=0, max=limits.LOOP_ROUNDS, help="Further behind, a session is not read from."
        ),
    ] = 10_000,
    max_idle_seconds: Annotated[
        float,
        typer.Option(
            "--max_idle_seconds", min=0.1, max=limits.SECONDS, help="A session that sends nothing for so long ends."
        ),
    ] = 300.0,
    drain_seconds: Annotated[
        float,
        typer.Option(
            "--drain_seconds", min=0, max=limits.SECONDS, help="Once terminated, sessions have so long to end."
        ),
    ] = 30.0,
    ray: Annotated[
        str | None, typer.Option(help="Serve on every machine of a Ray cluster: its address, or auto.")
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Decode for other programs: rounds streamed in, frames streamed out, by gRPC.

    Sessions open with a circuit or error model, and windows of all of them are decided together. SIGTERM and Ctrl-C
    let sessions end, and open no more; a second one ends them.
    """
    import asyncio

    from cascade_qec.serving.limits import Limits
    from cascade_qec.serving.service import Service

    pair = _pair(certificate, key)
    token = None if token_file is None else token_of(token_file)
    shown = host or ("each machine's address" if ray else "127.0.0.1")
    if not _own(shown) and (pair is None or token is None):
        raise CascadeError(
            f"expected --certificate, --key and --token_file where other machines can reach it, got --host {shown}"
        )
    service = Service(
        tuple(name.strip() for name in decoders.split(",") if name.strip()),
        device=device,
        precision=precision,
        port=port,
        batch_seconds=batch_microseconds / 1e6,
        limits=Limits(
            sessions=max_sessions,
            experiment_bytes=max_experiment_bytes,
            message_bytes=max_message_bytes,
            rounds_behind=max_rounds_behind,
            idle_seconds=max_idle_seconds,
        ),
        tls=pair,
        token=token,
        metrics_port=metrics_port,
    )
    if ray is None:
        asyncio.run(_here(service, shown, drain_seconds))
    else:
        _everywhere(service, ray, host, drain_seconds)


async def _here(service: Service, host: str, drain_seconds: float) -> None:
    """Serve in this process, until a signal comes."""
    import asyncio
    import signal

    server, address = await service.start(host)
    tell(f"Listening on {address}, for {', '.join(service.decoders)}")
    if server.metrics.port is not None:
        tell(f"Metrics on http://127.0.0.1:{server.metrics.port}/metrics")
    asked = asyncio.Event()

    def stop() -> None:
        if asked.is_set():
            server.hurry()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    await server.until(asked)
    tell(_stopping(drain_seconds))
    tell(f"Stopped: {await server.stop(drain_seconds) or 'no'} sessions had to be ended")


def _everywhere(service: Service, cluster: str, host: str | None, drain_seconds: float) -> None:
    """Keep a server on each machine of a cluster, until a signal comes."""
    from cascade_qec.serving.machines import Machines

    machines = Machines(cluster, service, host=host)
    try:
        listening = None
        while True:
            machines.update(_EVERY)
            if machines.addresses != listening:
                listening = machines.addresses
                tell(f"Listening on {','.join(listening) or 'no machine'}, for {', '.join(service.decoders)}")
    except (KeyboardInterrupt, SystemExit):
        tell(_stopping(drain_seconds))
    finally:
        tell(f"Stopped: {machines.stop(drain_seconds) or 'no'} sessions had to be ended")


def _stopping(seconds: float) -> str:
    return f"Stopping: no more sessions are opened, those that are open have {seconds:g} s to end"


def _own(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _pair(certificate: Path | None, key: Path | None) -> tuple[bytes, bytes] | None:
    """A private key and its certificate, PEM."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise CascadeError("expected --certificate and --key, got one without the other")
    import ssl

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except OSError as error:  # gRPC would not say why, nor ask for a pass phrase
        raise CascadeError(
            f"expected a certificate and its private key without a pass phrase, got {certificate}, {key}: {error}"
        ) from error
    return key.read_bytes(), certificate.read_bytes()


def token_of(path: Path) -> str:
    """The token in a file."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable():
        raise CascadeError(f"{path}: expected a token, one line of printable ASCII")
    return token
