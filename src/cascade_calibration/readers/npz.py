"""Archives of arrays (.npz), read so that what is broken is told."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cascade_qec.errors import CascadeError


def arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an archive, by name.

    Raises
    ------
    CascadeError
        If it is no such archive, cut short, or has Python objects.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise CascadeError(f"{path.name}: cannot be read as an archive of arrays: {error}") from error
