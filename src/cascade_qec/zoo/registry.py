"""Which models there are, and where their files lie."""

from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.zoo.card import Card

_SHIPPED = Path(__file__).parent / "models"


def names() -> list[str]:
    """Names of the shipped models: those with both weights and a card, in alphabetical order."""
    return sorted(file.stem for file in _SHIPPED.glob("*.safetensors") if file.with_suffix(".json").is_file())


def path(name: str | Path) -> Path:
    """The safetensors file of a shipped model, or of one's own.

    Parameters
    ----------
    name
        A name among `names`, or the path of a ``.safetensors`` file.

    Raises
    ------
    CascadeError
        If there is no such model or file; the message lists the names that there are.
    """
    if name in names():
        return _SHIPPED / f"{name}.safetensors"
    file = Path(name)
    if file.suffix == ".safetensors" and file.is_file():
        return file
    known = ", ".join(names()) or "none shipped"
    if file.suffix == ".safetensors":
        raise CascadeError(f"{file}: expected a model file, found nothing of that name")
    raise CascadeError(f"unknown model '{name}': expected a name ({known}) or the path of a .safetensors file")


def card(name: str | Path) -> Card:
    """The card of a model, read from the JSON file beside its weights.

    Raises
    ------
    CascadeError
        If there is no such model, no card beside it, or the card does not say what a card must.
    """
    return Card.read(path(name).with_suffix(".json"))
