"""How a file is known to be the one that was released: by its length and its SHA-256."""

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec.errors import CascadeError


class Checksum(BaseModel):
    """Length and SHA-256 of a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int = Field(ge=1)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    """Hexadecimal, in lower case."""

    @classmethod
    def of(cls, path: Path) -> "Checksum":
        """Those of a file.

        Raises
        ------
        CascadeError
            If the file cannot be read or is empty.
        """
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = path.stat().st_size
        except OSError as error:
            raise CascadeError(f"{path}: cannot be read: {error.strerror}") from error
        if not size:
            raise CascadeError(f"{path}: expected a file with contents, found it empty")
        return cls(bytes=size, sha256=digest)

    def __str__(self) -> str:
        return f"{self.bytes:,} bytes with SHA-256 {self.sha256[:16]}..."
