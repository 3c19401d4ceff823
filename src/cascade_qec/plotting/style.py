"""What all figures share: fonts, grids, and one look for each decoder, the same in every figure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
from matplotlib.colors import to_hex, to_rgb
from matplotlib.lines import Line2D

from cascade_qec.errors import CascadeError

PANEL_WIDTH, PANEL_HEIGHT = 3.4, 2.9
"""Inches; a panel is as wide as a column of a two-column page."""

_RC: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "legend.fontsize": 8.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "axes.axisbelow": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    # Texts are as wide when they are measured as when they are written.
    "figure.dpi": 200,
    "savefig.dpi": 200,
    # Names of elements in an SVG are drawn by lot otherwise.
    "svg.hashsalt": "cascade",
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's settings for making and writing figures, whatever the user's own are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


@dataclass(frozen=True)
class Look:
    """How a curve is drawn, in Matplotlib's terms; `fill` is the fill style of the marker.

    Any of colour, marker and dashes tells two looks of different decoders apart.
    """

    color: str
    marker: str
    linestyle: Any
    fill: str = "full"

    def line(self) -> dict[str, Any]:
        """Arguments of a plot with markers and a line through them."""
        return self.points() | {"linestyle": self.linestyle}

    def points(self) -> dict[str, Any]:
        """Arguments of a plot with markers alone."""
        return {
            "color": self.color,
            "marker": self.marker,
            "linestyle": "none",
            "fillstyle": self.fill,
            "markerfacecoloralt": "white",
        }

    def pale(self) -> "Look":
        """The same in a lighter shade, for what counts less."""
        return replace(self, color=_shade(self.color, -0.65))

    def handle(self, label: str, *, line: bool = True) -> Line2D:
        """What stands for the curve in a legend, with a line or with the marker alone."""
        return Line2D([], [], label=label, **(self.line() if line else self.points()))


# Okabe and Ito's colours, which the colour-blind can tell apart, as far as they go (their yellow is lost on white
# paper); markers and dashes do it in black and white.
_BY_DECODER = {
    "cascade": Look("#0072B2", "o", "-"),
    "pymatching": Look("#D55E00", "s", "--"),
    "pymatching-correlated": Look("#E69F00", "v", (0, (5, 1))),
    "bposd": Look("#009E73", "^", "-."),
    "bplsd": Look("#56B4E9", "P", (0, (3, 1, 1, 1))),
    "relay": Look("#CC79A7", "D", ":"),
    "tesseract": Look("#000000", "X", (0, (1, 1))),
    "tesseract-long-beam": Look("#7F7F7F", "*", (0, (8, 2))),
    "chromobius": Look("#6A3D9A", "<", (0, (5, 1, 1, 1, 1, 1))),
}
# For decoders that have no look of their own.
_SPARE = (
    Look("#7A4B1E", ">", (0, (4, 2, 4, 2, 1, 2))),
    Look("#4D4D4D", "d", (0, (2, 2))),
    Look("#808000", "p", (0, (6, 3))),
)
# Further curves of one decoder: another shade, marker and dashes.
_FURTHER = (("h", (0, (3, 2))), ("8", (0, (1, 3))), ("H", (0, (6, 1, 1, 1))), ("p", (0, (2, 1))), ("d", (0, (9, 2))))
_SHADES = (0.45, -0.4, 0.65, -0.65, 0.25)


def label_of(decoder: str, code: str) -> str:
    """Short name of a decoder: a model that is called after the code it decodes is "cascade" itself.

    >>> label_of("cascade:bb72", "bb72"), label_of("cascade:bb72_large", "bb72"), label_of("bposd", "bb72")
    ('cascade', 'cascade large', 'bposd')
    """
    family, colon, model = decoder.partition(":")
    own = re.fullmatch(rf"{re.escape(code)}(?:[_-](.+))?", model)
    if not colon or not own:
        return decoder
    return f"{family} {own[1]}" if own[1] else family


def looks(labels: Iterable[str], named: Mapping[str, Look] = _BY_DECODER) -> dict[str, Look]:
    """A look for each label, no two of them alike.

    A label begins with the name of a decoder; what follows it (a model, a device, a method) makes it a further
    curve of that decoder, in another shade of its colour. Markers of decoders that see only one basis's detectors
    ("-filtered") are hollow.

    Parameters
    ----------
    labels
        One may occur several times; the looks are in the order in which they first occur.
    named
        Looks of what labels begin with; of decoders by default.

    Raises
    ------
    CascadeError
        If there are more curves than looks.
    """
    labels = list(dict.fromkeys(labels))
    groups: dict[tuple[str, bool], list[str]] = {}
    for label in sorted(labels):
        groups.setdefault(_family(label, named), []).append(label)
    families = {family for family, _ in groups}
    strangers = sorted(families - set(named))
    free = [*_SPARE, *(look for name, look in named.items() if name not in families)]
    most = max((len(group) for group in groups.values()), default=0)
    if len(strangers) > len(free) or most > 1 + len(_FURTHER):
        raise CascadeError(
            f"expected at most {len(free)} families other than {', '.join(named)} and {1 + len(_FURTHER)} curves "
            f"of one, got {len(strangers)} and {most}: leave some out"
        )
    known = dict(named) | dict(zip(strangers, free, strict=False))
    result = {}
    for (family, filtered), group in groups.items():
        for i, label in enumerate(group):
            look = known[family] if i == 0 else _further(known[family], i - 1)
            result[label] = replace(look, fill="none") if filtered else look
    return {label: result[label] for label in labels}


def _family(label: str, named: Mapping[str, Look]) -> tuple[str, bool]:
    decoder = re.split(r"[:,(]", label, maxsplit=1)[0].strip()
    name = decoder.removesuffix("-filtered")
    if name not in named:
        # Such as "relay-5", or "cascade large".
        name = max((base for base in named if re.match(rf"{re.escape(base)}[ -]", name)), key=len, default=name)
    return name, decoder.endswith("-filtered")


def _further(look: Look, index: int) -> Look:
    marker, dashes = _FURTHER[index]
    return replace(look, color=_shade(look.color, _SHADES[index]), marker=marker, linestyle=dashes)


def _shade(color: str, amount: float) -> str:
    """Towards black if positive, towards white if negative."""
    end = 0.0 if amount > 0 else 1.0
    share = abs(amount)
    red, green, blue = ((1 - share) * part + share * end for part in to_rgb(color))
    return to_hex((red, green, blue))
