"""A model as a folder that can be uploaded as it is: weights, card, and a README for people."""

from pathlib import Path

from cascade_qec.errors import CascadeError
from cascade_qec.files import written_whole
from cascade_qec.zoo import registry
from cascade_qec.zoo.card import Card, Measurement
from cascade_qec.zoo.checksum import Checksum
from cascade_qec.zoo.index import Release, folder_url, is_name


def write_release(name: str | Path, folder: Path, *, url: str = "./") -> Release:
    """Write a model into a folder, and give its entry for an index.

    The folder gets ``<name>.safetensors``, ``<name>.json`` and a ``README.md`` on all models in it, with the front
    matter that Hugging Face reads.

    Parameters
    ----------
    name
        As for :func:`cascade_qec.zoo.path`.
    folder
        Made if it is not there.
    url
        Where the folder will be found; it may be relative to the index.

    Raises
    ------
    CascadeError
        If there is no such model or no card of it, the weights are damaged or of another code than the card says,
        nothing could be fetched from such a URL, or the folder cannot be written or has other models without a card.
    """
    from cascade_qec.model import load_model

    weights, card = registry.path(name), registry.card(name)
    if not is_name(card.name):
        raise CascadeError(f"{name}: expected a card whose name is letters, digits, '_' and '-', got {card.name!r}")
    _, made = load_model(weights)
    if made.code != card.code:
        raise CascadeError(f"{name}: expected weights of a decoder of {card.code}, as the card says, got {made.code}")
    folder_url(folder.absolute().as_uri(), url)
    out = folder / f"{card.name}.safetensors"
    others = [model for model in folder.glob("*.safetensors") if model.name != out.name]
    cards = [card, *(Card.read(model.with_suffix(".json")) for model in others)]
    content = weights.read_bytes()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CascadeError(f"{folder}: expected a folder to write to: {error.strerror}") from error
    with written_whole(out) as file:
        file.write(content)
    card.write(out.with_suffix(".json"))
    with written_whole(folder / "README.md") as file:
        file.write(_readme(sorted(cards, key=lambda card: card.name)))
    return Release(name=card.name, url=url, weights=Checksum.of(out), card=Checksum.of(out.with_suffix(".json")))


def _readme(cards: list[Card]) -> bytes:
    tags = ["quantum-error-correction", "decoder", *sorted({card.code for card in cards})]
    lines = ["---", "license: apache-2.0", "library_name: cascade-qec", "tags:", *(f"- {tag}" for tag in tags), "---"]
    lines += ["", f"# {', '.join(card.name for card in cards)}", ""]
    lines += ["Neural decoders of quantum error-correcting codes, for the Python package `cascade-qec`.", ""]
    of_several = f"/{cards[0].name}" if len(cards) > 1 else ""
    lines += [
        "```python",
        "import cascade_qec as cascade",
        "",
        f'decoder = cascade.load("hf:OWNER/REPOSITORY{of_several}")  # or the path of this folder{of_several}',
        "```",
    ]
    for card in cards:
        lines += ["", *_section(card)]
    return "\n".join([*lines, ""]).encode()


def _section(card: Card) -> list[str]:
    rounds = ", ".join(map(str, card.rounds))
    measured: list[Measurement] = sorted(
        [*card.measurements, *card.rivals], key=lambda row: (row.p, row.rounds, row.basis)
    )
    return [
        f"## {card.name}",
        "",
        f"A decoder of {card.code}, for memory experiments in bases {' and '.join(card.bases)} of {rounds} "
        f"rounds: {card.parameters:,} parameters, {card.shots:,} shots in {card.hours:.3g} hours on {card.hardware} "
        f"(seed {card.seed}, commit {card.commit}, {card.date}). {card.notes}".rstrip(),
        "",
        "Block error: the share of shots of which any observable is predicted wrongly, with its 95 % interval. Recipe, "
        f"versions of the packages and all else that is known is in `{card.name}.json`.",
        "",
        "| code | p | basis | rounds | decoder | failures / shots | block error, 95 % | per logical per cycle |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(row.code or card.code, row) for row in measured),
    ]


def _row(code: str, row: Measurement) -> str:
    per_cycle = "-" if row.per_logical_per_cycle is None else f"{row.per_logical_per_cycle:.2e}"
    fields = (
        code,
        f"{100 * row.p:.3g} %",
        row.basis,
        str(row.rounds),
        row.who,
        f"{row.failures:,} / {row.shots:,}",
        f"{row.block_error:.2e} [{row.low:.1e}, {row.high:.1e}]",
        per_cycle,
    )
    return f"| {' | '.join(fields)} |"
