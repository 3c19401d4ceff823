"""What ends a session before its answer: a status of gRPC and a sentence."""

from __future__ import annotations

from grpc import StatusCode

from cascade_qec.errors import CascadeError

_LONGEST = 1000
"""Characters of a sentence: it travels in a header, and may cite what came."""


class Failure(Exception):
    """A session ends with this status."""

    def __init__(self, code: StatusCode, text: str) -> None:
        super().__init__(text)
        self.code = code

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """Wrong input is the client's mistake, all else the server's."""
        if isinstance(error, Failure):
            return error
        if isinstance(error, CascadeError):
            return cls(StatusCode.INVALID_ARGUMENT, str(error))
        failure = cls(StatusCode.INTERNAL, f"the server failed: {type(error).__name__}")
        failure.__cause__ = error
        return failure

    @property
    def text(self) -> str:
        """The sentence, on one line."""
        line = " ".join(str(self).split())
        return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
