"""The one door to models by name: which there are, where their files are, and what their cards say."""

import os
from pathlib import Path
from typing import Literal

from cascade_qec import codes
from cascade_qec.codes import CSSCode
from cascade_qec.errors import CascadeError, unknown
from cascade_qec.zoo import hub, index, store
from cascade_qec.zoo.card import Card
from cascade_qec.zoo.home import offline
from cascade_qec.zoo.store import Suffix

Source = Literal["bundled", "fetched", "released"]
"""Where a model comes from: with the package, fetched before, or to be fetched on first use."""

_SHIPPED = Path(__file__).parent / "models"


def names() -> list[str]:
    """Names of the models on this machine, shipped or fetched, in alphabetical order."""
    return sorted({*_shipped(), *store.fetched()})


def sources() -> dict[str, Source]:
    """Where each model comes from, by name.

    Nothing is fetched: an index at a URL (see docs/models.md) is as it was last read.

    Raises
    ------
    CascadeError
        If the index in use cannot be read.
    """
    found: dict[str, Source] = dict.fromkeys(index.releases(network=False), "released")
    found |= dict.fromkeys(store.fetched(), "fetched")
    found |= dict.fromkeys(_shipped(), "bundled")
    return dict(sorted(found.items()))


def path(name: str | Path) -> Path:
    """The safetensors file of a model, fetched if need be.

    Parameters
    ----------
    name
        Whichever fits first: the name of a shipped, a fetched or a released model; ``hf:owner/name[/MODEL][@revision]``
        for a Hugging Face repository; the path of a ``.safetensors`` file; a folder with one model, or ``folder/NAME``.

    Raises
    ------
    CascadeError
        If there is no such model or file (the message lists the known names), it cannot be fetched, or it is not
        the one that was released.
    """
    return _file(str(name), ".safetensors")


def require(name: str | Path) -> None:
    """Find out, before anything heavy is loaded, whether there is such a model. Nothing is fetched.

    Raises
    ------
    CascadeError
        If not, as `path` says it; what is on Hugging Face is taken to be there.
    """
    if str(name) not in sources() and not str(name).startswith(hub.PREFIX):
        _own_file(Path(name))


def models_of(code: CSSCode) -> list[str]:
    """Names of the models at hand that decode a code."""
    return [name for name in names() if card(name).serves(code)]


def no_model_yet(code: str) -> str:
    """What to do without a model of a code, as a sentence."""
    found = codes.get(code)
    serving = "".join(f"use {name}, " for name in models_of(found))
    classical = "pymatching-correlated" if found.matchable else "bposd-lowest"
    return (
        f"no model of {code} yet: {serving}train one (cascade train, with a recipe of code = {code!r}), or decode by "
        f"another decoder (cascade_qec.decoders.get, such as {classical})"
    )


def card(name: str | Path) -> Card:
    """The card of a model, read from the JSON file beside its weights.

    Raises
    ------
    CascadeError
        If there is no such model, no card beside it, or the card does not say what a card must.
    """
    return Card.read(_file(str(name), ".json"))


def pull(name: str, *, force: bool = False) -> Path:
    """Fetch a model, so that it can be used without a network, and give its safetensors file.

    The index is read again. Shipped models, and those already here as they were released, are not fetched.

    Parameters
    ----------
    name
        Name of a released model, or ``hf:owner/name[/MODEL][@revision]``.
    force
        Fetch it even if it is here.

    Raises
    ------
    CascadeError
        As `path` does; and for a path, as there is nothing to fetch.
    """
    if name.startswith(hub.PREFIX):
        return hub.file(name, ".safetensors", force=force)
    if name in _shipped():
        return path(name)
    released = index.releases(anew=not offline())
    if name not in released:
        raise unknown("released model", name, released, "" if released else "none, there are none yet")
    if force or not store.holds(released[name]):
        store.fetch(released[name])
    return store.file(name, ".safetensors")


def _shipped() -> list[str]:
    return sorted(file.stem for file in _SHIPPED.glob("*.safetensors") if file.with_suffix(".json").is_file())


def _file(name: str, suffix: Suffix) -> Path:
    if name in _shipped():
        return _SHIPPED / f"{name}{suffix}"
    if index.is_name(name):
        if name in store.fetched():
            return store.file(name, suffix)
        if release := index.releases().get(name):
            store.fetch(release)
            return store.file(name, suffix)
    if name.startswith(hub.PREFIX):
        return hub.file(name, suffix)
    return _own_file(Path(name)).with_suffix(suffix)


def _own_file(given: Path) -> Path:
    """Weights by the path of their file, or of a folder."""
    if given.suffix == ".safetensors":
        if os.path.isfile(given):
            return given
        raise CascadeError(f"{given}: expected a model file, found nothing of that name")
    if os.path.isdir(given):  # unlike Path's, no error where a name is too long
        models = sorted(given.glob("*.safetensors"))
        if len(models) != 1:
            found = ", ".join(model.stem for model in models) or "none"
            raise CascadeError(f"{given}: expected a folder with one model, or {given}/NAME, found {found}")
        return models[0]
    if len(given.parts) > 1 and os.path.isfile(in_folder := given.with_name(f"{given.name}.safetensors")):
        return in_folder
    known = sources()
    if str(given) in {name for family in codes.families() for name in family.recognised}:
        raise CascadeError(no_model_yet(str(given)))
    raise unknown(
        "model",
        str(given),
        known,
        f"a name ({', '.join(known) or 'none shipped'}) or the path of a .safetensors file, of a folder with one "
        "model, or hf:owner/name",
    )
