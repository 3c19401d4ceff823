from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Request(_message.Message):
    __slots__ = ("open", "rounds")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    open: Open
    rounds: Rounds
    def __init__(self, open: _Optional[_Union[Open, _Mapping]] = ..., rounds: _Optional[_Union[Rounds, _Mapping]] = ...) -> None: ...

class Open(_message.Message):
    __slots__ = ("circuit", "error_model", "decoder", "commit", "buffer")
    CIRCUIT_FIELD_NUMBER: _ClassVar[int]
    ERROR_MODEL_FIELD_NUMBER: _ClassVar[int]
    DECODER_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    circuit: str
    error_model: str
    decoder: str
    commit: int
    buffer: int
    def __init__(self, circuit: _Optional[str] = ..., error_model: _Optional[str] = ..., decoder: _Optional[str] = ..., commit: _Optional[int] = ..., buffer: _Optional[int] = ...) -> None: ...

class Rounds(_message.Message):
    __slots__ = ("first", "events")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    first: int
    events: bytes
    def __init__(self, first: _Optional[int] = ..., events: _Optional[bytes] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("opened", "frame")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    opened: Opened
    frame: Frame
    def __init__(self, opened: _Optional[_Union[Opened, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ...) -> None: ...

class Opened(_message.Message):
    __slots__ = ("sizes", "observables", "commit", "buffer", "message_rounds", "message_bytes")
    SIZES_FIELD_NUMBER: _ClassVar[int]
    OBSERVABLES_FIELD_NUMBER: _ClassVar[int]
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BUFFER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    sizes: Sizes
    observables: int
    commit: int
    buffer: int
    message_rounds: int
    message_bytes: int
    def __init__(self, sizes: _Optional[_Union[Sizes, _Mapping]] = ..., observables: _Optional[int] = ..., commit: _Optional[int] = ..., buffer: _Optional[int] = ..., message_rounds: _Optional[int] = ..., message_bytes: _Optional[int] = ...) -> None: ...

class Sizes(_message.Message):
    __slots__ = ("slices", "first", "turn", "last")
    SLICES_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    TURN_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    slices: int
    first: _containers.RepeatedScalarFieldContainer[int]
    turn: _containers.RepeatedScalarFieldContainer[int]
    last: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, slices: _Optional[int] = ..., first: _Optional[_Iterable[int]] = ..., turn: _Optional[_Iterable[int]] = ..., last: _Optional[_Iterable[int]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("observables", "committed", "received", "behind", "final", "log_odds", "confidence", "probabilities")
    OBSERVABLES_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    BEHIND_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    LOG_ODDS_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    observables: bytes
    committed: int
    received: int
    behind: int
    final: bool
    log_odds: float
    confidence: float
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, observables: _Optional[bytes] = ..., committed: _Optional[int] = ..., received: _Optional[int] = ..., behind: _Optional[int] = ..., final: _Optional[bool] = ..., log_odds: _Optional[float] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...
