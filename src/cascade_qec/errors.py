"""The one error and the one warning that users meet."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_ALIKE = 0.7
_LONGEST = 60


class CascadeError(ValueError):
    """Input that cannot be used: the message says what was expected and what came.

    The command line prints it on one line and exits with status 2.
    """


class CascadeWarning(UserWarning):
    """Input that can be used, but outside what the model was trained and measured for."""


def unknown(kind: str, name: str, known: Iterable[str], expected: str = "") -> CascadeError:
    """The error for a name that is none of those known.

    It asks for the nearest one, or two that are as near, and lists what was expected if none is near.

    Examples
    --------
    >>> print(unknown("fruit", "aple", ["apple", "pear"]))
    unknown fruit 'aple': did you mean apple?
    >>> print(unknown("fruit", "kiwi", ["apple", "pear"]))
    unknown fruit 'kiwi': expected one of apple, pear
    """
    names = list(known)
    alike = [SequenceMatcher(None, name.lower(), one.lower()).ratio() if len(name) < _LONGEST else 0 for one in names]
    best = max(alike, default=0)
    near = [one for one, likeness in zip(names, alike, strict=True) if likeness == best]
    if best >= _ALIKE and len(near) <= 2:
        return CascadeError(f"unknown {kind} {name!r}: did you mean {' or '.join(near)}?")
    return CascadeError(f"unknown {kind} {name!r}: expected {expected or 'one of ' + ', '.join(names)}")
