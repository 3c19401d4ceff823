"""Names of models among decoders: ``cascade:bb72``, and ``cascade:bb72@0.99`` with a threshold."""

from dataclasses import dataclass

from cascade_qec.errors import CascadeError

MODEL_PREFIX = "cascade:"
"""What comes before the model's name, or its file, where a model is named as a decoder."""


@dataclass(frozen=True)
class NamedModel:
    """A model as a decoder.

    Attributes
    ----------
    model
        Name in the zoo, or the path of a ``.safetensors`` file.
    discard_below
        Shots of less confidence are discarded; None keeps all.
    """

    model: str
    discard_below: float | None = None

    def __post_init__(self) -> None:
        if self.discard_below is not None and not 0 < self.discard_below <= 1:
            raise CascadeError(f"expected a threshold of confidence above 0 and up to 1, got {self.discard_below}")

    @classmethod
    def of(cls, decoder: str) -> "NamedModel":
        """What a decoder's name ``cascade:<model>`` or ``cascade:<model>@<threshold>`` says.

        Raises
        ------
        CascadeError
            If the threshold is not in (0, 1]. The model is not looked for.
        """
        name = decoder.removeprefix(MODEL_PREFIX)
        model, at, threshold = name.rpartition("@")
        try:
            return cls(model, float(threshold)) if at else cls(name)
        except CascadeError as error:
            raise CascadeError(f"{decoder}: {error}") from None
        except ValueError:  # a file may have an @ in its name
            return cls(name)

    def __str__(self) -> str:
        """The decoder's name."""
        threshold = "" if self.discard_below is None else f"@{self.discard_below:g}"
        return f"{MODEL_PREFIX}{self.model}{threshold}"
