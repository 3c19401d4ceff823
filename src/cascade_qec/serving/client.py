"""A client: streams as they are in this process, decoded by a server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import stim
from grpc import StatusCode
from numpy.typing import ArrayLike, NDArray

from cascade_qec.decoders import events
from cascade_qec.decoders.result import DecodeResult
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import read_experiment
from cascade_qec.serving.protocol_pb2 import DESCRIPTOR, Answer, Frame, Open, Opened, Request, Rounds
from cascade_qec.serving.rounds import RoundSizes

METHOD = f"/{DESCRIPTOR.services_by_name['Decoding'].full_name}/Decode"

_OUTBOX = 16
"""Messages that wait to be sent, before `push` waits."""

_ASKED_WRONGLY = (
    StatusCode.INVALID_ARGUMENT,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.UNAUTHENTICATED,
    StatusCode.DEADLINE_EXCEEDED,
)


class Client:
    """A decoding server, see ``cascade serve``.

    Parameters
    ----------
    address
        ``host:port``, or of several servers ``ipv4:10.0.0.1:50051,10.0.0.2:50051``: sessions go to one after the other,
        and to none that is gone. The same goes for a host name of several addresses.
    certificate
        File of the certificate that the server shows or of who signed it, PEM; needed where it is on another machine.
    token
        That the server wants to be shown, if it does.
    server_name
        That the certificate is for, where the address says another: of several servers, one name for all.

    Attributes
    ----------
    address : str

    Examples
    --------
    >>> import cascade_qec as cascade
    >>> from cascade_qec.serving import Client, background
    >>> noise = cascade.circuits.UniformDepolarizing(0.003)
    >>> circuit = cascade.circuits.memory(cascade.codes.get("surface_d3"), rounds=1000, noise=noise)
    >>> detection_events = circuit.compile_detector_sampler(seed=1).sample(1)
    >>> with background(["pymatching"]) as address, Client(address) as client:
    ...     with client.open(circuit, "pymatching") as stream:
    ...         frame = stream.push(detection_events[:, :4])  # the first round
    ...         frame = stream.push(detection_events[:, 4:-4])  # 999 more
    ...         result = stream.finish(detection_events[:, -4:])
    >>> result.observables.shape
    (1, 1)
    """

    def __init__(
        self,
        address: str,
        *,
        certificate: str | Path | None = None,
        token: str | None = None,
        server_name: str | None = None,
    ) -> None:
        self.address = address
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.enable_http_proxy", 0),
            ("grpc.lb_policy_name", "round_robin"),
            ("grpc.initial_reconnect_backoff_ms", 100),  # a server that comes back is found again
            ("grpc.max_reconnect_backoff_ms", 2000),
        ]
        if server_name is not None:
            options.append(("grpc.ssl_target_name_override", server_name))
        if certificate is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            credentials = grpc.ssl_channel_credentials(Path(certificate).read_bytes())
            self._channel = grpc.secure_channel(address, credentials, options)
        self._metadata = [] if token is None else [("authorization", f"Bearer {token}")]
        self._decode = self._channel.stream_stream(METHOD, Request.SerializeToString, Answer.FromString)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all its streams."""
        self._channel.close()

    def open(
        self,
        experiment: stim.Circuit | stim.DetectorErrorModel | str | Path,
        decoder: str,
        *,
        commit: int | None = None,
        buffer: int | None = None,
        timeout: float | None = 60.0,
    ) -> RemoteStream:
        """Have the server decode one run of an experiment.

        Parameters
        ----------
        experiment
            A circuit or error model, its text, or the path of its file.
        decoder
            One of those that the server offers.
        commit, buffer
            Rounds that a window decides, and rounds that it looks ahead; by default about the distance each.
        timeout
            Seconds to wait for the server to have it ready.

        Raises
        ------
        CascadeError
            If the server cannot decode it so, or lets nobody in.
        ConnectionError
            If the server is not there.
        TimeoutError
        """
        if not all(size is None or 0 < size < 2**32 for size in (commit, buffer)):
            raise CascadeError(f"expected windows of 1 to 2^32 - 1 rounds, got {commit} and {buffer}")
        source = read_experiment(experiment)
        kind = "circuit" if isinstance(source, stim.Circuit) else "error_model"
        asked = Open(decoder=decoder, commit=commit or 0, buffer=buffer or 0, **{kind: str(source)})
        return RemoteStream(self._decode, self._metadata, asked, timeout)


class RemoteStream:
    """One run of an experiment that a server decodes while it goes on: as `Stream`, of one shot.

    Attributes
    ----------
    rounds : int
        That were pushed.
    sizes : RoundSizes
        How many detectors each slice has.
    commit, buffer : int
    num_observables : int
    """

    def __init__(self, decode: Any, metadata: list[tuple[str, str]], asked: Open, timeout: float | None) -> None:
        self.rounds = 0
        self._frame = Frame()
        self._opened: Opened | None = None
        self._failure: grpc.RpcError | None = None
        self._over = False
        self._outbox = deque([Request(open=asked)])
        self._changed = threading.Condition()
        self._call = decode(self._requests(), metadata=metadata)
        threading.Thread(target=self._read, name="cascade-client", daemon=True).start()
        try:
            self._wait(lambda: self._opened is not None, timeout, "the server to open a session")
        except BaseException:
            self.close()
            raise
        assert self._opened is not None
        self.sizes = RoundSizes.from_message(self._opened.sizes)
        self.num_observables = self._opened.observables
        self.commit, self.buffer = self._opened.commit, self._opened.buffer
        self._most_rounds, self._most_bytes = self._opened.message_rounds, self._opened.message_bytes

    def __enter__(self) -> RemoteStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session, if it is not over."""
        with self._changed:
            self._over = True
            self._changed.notify_all()
        self._call.cancel()

    @property
    def frame(self) -> NDArray[np.bool_]:
        """What the errors flip that are committed, as far as the server has said, bool [1, k]."""
        data = np.frombuffer(self._frame.observables or bytes(-(-self.num_observables // 8)), dtype=np.uint8)
        return events.unpacked(data[None], self.num_observables)

    @property
    def confidence(self) -> float | None:
        """P(no observable of the frame wrong), as far as the server has said; None where the decoder does not know."""
        return self._frame.confidence if self._frame.HasField("confidence") else None

    @property
    def committed(self) -> int:
        """Slices that are decided, as far as the server has said."""
        return self._frame.committed

    @property
    def behind(self) -> int:
        """Rounds sent since the next window could have been decided, as far as the server has said."""
        if self._frame.final:
            return 0
        return max(0, self.rounds - min(self.sizes.slices, self.committed + self.commit + self.buffer) + 1)

    def push(self, detection_events: ArrayLike, timeout: float | None = 60.0) -> NDArray[np.bool_]:
        """Send the detection events of the next rounds; waits where the server is too far behind to take them.

        Parameters
        ----------
        detection_events
            bool (or uint8 0 and 1) [1, detectors of these rounds], round after round, those of each ascending.
        timeout
            Seconds to wait.

        Returns
        -------
        bool [1, k]
            The frame, as far as the server has said.

        Raises
        ------
        CascadeError
            If these are not the events of whole rounds, or the server says that something is wrong.
        ConnectionError
            If the server is gone.
        TimeoutError
            If there is no room; none of these rounds is sent then.
        """
        self._send(detection_events, timeout)
        return self.frame

    def finish(self, detection_events: ArrayLike, timeout: float | None = 60.0) -> DecodeResult:
        """Send the detection events of the readout, and wait for the server to decide the rest.

        Parameters and errors are those of `push`. Where the answer takes longer than `timeout`, `result` waits on.
        """
        missing = self.sizes.slices - 1 - self.rounds
        if missing > 0:
            raise CascadeError(f"expected {missing} more rounds before the readout")
        self._send(detection_events, timeout)
        return self.result(timeout)

    def result(self, timeout: float | None = 60.0) -> DecodeResult:
        """Wait for the final frame, and what else the decoder says of the experiment; after the readout was sent.

        Errors are those of `push`.
        """
        self._wait(lambda: self._frame.final, timeout, "the server's final answer")
        last = self._frame
        return DecodeResult(
            self.frame,
            probabilities=np.array([last.probabilities], dtype=np.float32) if last.probabilities else None,
            log_odds=np.array([last.log_odds], dtype=np.float32) if last.HasField("log_odds") else None,
        )

    def _send(self, detection_events: ArrayLike, timeout: float | None) -> None:
        given = np.asarray(detection_events)
        if given.ndim != 2 or given.shape[0] != 1:
            raise CascadeError(f"expected the events of rounds as [1, detectors], got {list(given.shape)}")
        checked = events.checked(given, given.shape[1], whose="the stream")
        parts = self.sizes.packed(self.rounds, checked[0])
        self._wait(self._has_room, timeout, "the server to take more rounds")
        with self._changed:
            while parts:
                within = np.cumsum([len(part) for part in parts[: self._most_rounds]]) <= self._most_bytes
                fit = max(1, int(within.sum()))
                self._outbox.append(Request(rounds=Rounds(first=self.rounds, events=b"".join(parts[:fit]))))
                self.rounds += fit
                parts = parts[fit:]
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._outbox) < _OUTBOX and not self._over

    def _wait(self, until: Callable[[], bool], timeout: float | None, what: str) -> None:
        with self._changed:
            in_time = self._changed.wait_for(lambda: until() or self._over, timeout)
            if self._failure is not None:
                raise _told(self._failure)
            if not in_time:
                raise TimeoutError(f"expected {what} within {timeout} s")
            if not until():
                raise CascadeError("expected an open stream, got one that is closed")

    def _requests(self) -> Iterator[Request]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._outbox or self._over)
                if self._over:
                    return
                request = self._outbox.popleft()
                self._changed.notify_all()
            yield request

    def _read(self) -> None:
        failure = None
        try:
            for answer in self._call:
                with self._changed:
                    if answer.WhichOneof("kind") == "opened":
                        self._opened = answer.opened
                    else:
                        self._frame = answer.frame
                    self._changed.notify_all()
        except grpc.RpcError as error:
            failure = error
        with self._changed:
            if not self._over:  # else its own cancelling
                self._failure, self._over = failure, True
            self._changed.notify_all()


def _told(error: Any) -> CascadeError | ConnectionError:
    """What the server said, or what was said for it when it was gone."""
    kind = CascadeError if error.code() in _ASKED_WRONGLY else ConnectionError
    return kind(f"the decoding server: {error.details()}")
