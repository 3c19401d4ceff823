"""What a task of sinter's says of its experiment: metadata that anyone may have written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cascade_qec import codes
from cascade_qec.errors import CascadeError

UNIFORM = "uniform"
"""The noise where nothing names one."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "c"),
    "p": ("p", "physical_error_rate", "error_rate"),
    "rounds": ("rounds", "r"),
    "basis": ("basis", "bases", "b"),
    "noise": ("noise", "noise_model"),
    "k": ("k",),
    "n": ("n",),
    "d": ("d", "distance"),
}
"""What is read of an experiment, and the usual keys of it, the first before the others."""


def fields_from(texts: Sequence[str]) -> dict[str, str]:
    """Fields said by hand, from texts NAME=KEY: the key that has a field, or its value for all tasks.

    Raises
    ------
    CascadeError
        If a text is none such, or names no field of `FIELDS`.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, key = text.partition("=")
        if not (equals and key and name in FIELDS):
            raise CascadeError(
                f"--field: expected NAME=KEY or NAME=VALUE with a name among {', '.join(FIELDS)}, got {text!r}"
            )
        found[name] = key
    return found


class Experiment:
    """The experiment of a task.

    Parameters
    ----------
    metadata
        The task's json_metadata.
    fields
        Those said by hand, see `fields_from`; they come before the usual keys.
    where
        What errors begin with.

    Attributes
    ----------
    code, known
        Its name, and the code of the registry if it is one. A family's name with a distance beside it is enough.
    p, rounds, basis, noise, k, n, d
        n and d are None where nothing tells.

    Raises
    ------
    CascadeError
        If something is missing, or not of its type.
    """

    def __init__(self, metadata: object, fields: Mapping[str, str], where: str) -> None:
        self._metadata: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
        self._fields, self._where = fields, where
        code, self.d = self._value("code", str), self._value("d", int)
        self.known = None if code is None else known(code) or known(f"{code}_d{self.d}")
        self.p, self.rounds = self._value("p", float), self._value("rounds", int)
        basis, self.k, self.n = self._value("basis", str), self._value("k", int), self._value("n", int)
        if self.known is not None:
            code = self.known.name
            self.k, self.n, self.d = self.k or self.known.k, self.n or self.known.n, self.d or self.known.d
        self._require({"code": code, "p": self.p, "rounds": self.rounds, "basis": basis})
        if self.k is None:
            raise CascadeError(
                f"{where}: expected a code of the registry or, beside another, k in json_metadata, got {code}; say it "
                "by --field code=... (a name, or surface where d stands beside it) or --field k=..."
            )
        self.code, self.basis = str(code), "".join(sorted(str(basis).upper()))
        noise = self._given("noise")
        self.noise = noise if isinstance(noise, str) and self._fields.get("p") != "noise" else UNIFORM

    def _given(self, name: str) -> Any:
        """What the task, or the one who reads it, says of a field; None if nothing."""
        if name in self._fields:
            return self._metadata.get(self._fields[name], self._fields[name])
        return next((self._metadata[key] for key in FIELDS[name] if self._metadata.get(key) is not None), None)

    def _value(self, name: str, kind: type) -> Any:
        given = self._given(name)
        try:
            return None if given is None else kind(given)
        except (TypeError, ValueError, OverflowError) as error:
            raise CascadeError(f"{self._where}: expected {name} as {kind.__name__}, got {given!r}") from error

    def _require(self, values: Mapping[str, object]) -> None:
        missing = [name for name, value in values.items() if value is None]
        if missing:
            got, flags = ", ".join(self._metadata) or "none", " ".join(f"--field {name}=..." for name in missing)
            got, flags = ", ".join(self._metadata) or "none", " ".join(f"--field {name}=..." for name in missing)
            raise CascadeError(
                f"{self._where}: expected {', '.join(missing)} in json_metadata, got {got}; say it by {flags} (the key "
                "that has it, or its value)"
            )


def known(name: str) -> codes.CSSCode | None:
    """The code of the registry of that name, if there is one."""
    try:
        return codes.get(name)
    except CascadeError:  # somebody else's code can be fitted all the same
        return None
