"""What a model's file says of its weights."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from cascade_qec import codes, limits
from cascade_qec.codes import CSSCode, Operators
from cascade_qec.components import ComponentType, UsualNoise
from cascade_qec.errors import CascadeError
from cascade_qec.lattice import ABSENT, convolution_tables, count_positions, data_relations
from cascade_qec.model.calibration import UNCHECKED, Calibration
from cascade_qec.model.settings import HEAD_CHANNELS, NetworkSettings


class ModelDescription(BaseModel):
    """What a file says of its weights."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1, 2, 3] = 3
    """1 where trunk and head were not told apart in the names of weights; from 3 on the file has a digest."""
    name: str
    code: str
    rounds: int = Field(ge=1, le=limits.ROUNDS)
    mixed_rounds: list[int] | None = Field(default=None, min_length=1)
    """Numbers of rounds that it was trained on, or is `lengthened` to, ascending, where they are more than one: then it
    is measured from the first to the last, and sums over time are divided by the slices of `rounds`, not by the
    experiment's own."""
    bases: list[Literal["X", "Z"]] = Field(min_length=1)
    noise_model: str = "uniform"
    noise_p: float
    network: NetworkSettings
    head: Literal["logical", "local"] = "logical"
    """What the network makes of the trunk's features: logits of logical operators, or of components of the noise."""
    operators: Operators = "translations"
    """The logical operators that the network is to be asked about."""
    components: list[ComponentType] | None = None
    """The types of component that a local head knows, in its order."""
    told: list[UsualNoise] | None = None
    """What the noise is usually like, of a model that is told how an experiment's differs: first `components`, in their
    order, then those of the other basis' checks."""
    calibration: Calibration | None = None
    """What its log-odds are worth; None where nobody has looked, so that it tells no confidence."""

    def serves(self, code: CSSCode) -> bool:
        """Whether the model decodes a code."""
        return self.code == code.name or (self.head == "local" and codes.get(self.code).locally_like(code))

    @property
    def all_rounds(self) -> list[int]:
        """Numbers of rounds that it was trained on, ascending."""
        return self.mixed_rounds or [self.rounds]

    @property
    def span_of_rounds(self) -> str:
        """Those in words: "1 round", "3 rounds", or "1 to 9 rounds"."""
        first, last = self.all_rounds[0], self.all_rounds[-1]
        return f"{first} to {last} rounds" if first < last else f"{first} round{'s' if first > 1 else ''}"

    def trained_at(self, rounds: int) -> bool:
        """Whether so many rounds are like those of training: between the fewest and the most of them."""
        return self.all_rounds[0] <= rounds <= self.all_rounds[-1]

    def measured_at(self, rounds: int) -> bool:
        """Whether it was trained and measured at so many rounds; of what is there to try interfaces, nobody asks."""
        return self.trained_at(rounds) or self.calibration == UNCHECKED

    def slices_summed(self, rounds: int) -> int:
        """By what sums over time are divided, of an experiment of so many rounds."""
        return 1 + (rounds if self.mixed_rounds is None else self.rounds)

    def lengthened(self, rounds: Iterable[int]) -> ModelDescription:
        """Of the same weights, which learned one number of rounds, and read others in segments of as many.

        Of a segment the head reads sums over time, less those of a shot without events, plus those of such a shot of
        the rounds that it learned. In these nothing changes.

        Raises
        ------
        CascadeError
            If they are not of a logical head that did.
        """
        if self.head != "logical" or self.mixed_rounds is not None:
            raise CascadeError(
                f"expected a model with a logical head that learned one number of rounds, got {self.name} "
                f"with a {self.head} head and {self.span_of_rounds}"
            )
        network = self.network.model_copy(update={"segment_rounds": self.rounds})
        return self.model_copy(update={"network": network, "mixed_rounds": sorted({self.rounds, *rounds})})

    def parameters(self) -> int:
        """How many numbers training chose."""
        measured = ("mean", "variance")
        return sum(math.prod(shape) for name, shape in self.shapes().items() if not name.endswith(measured))

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array of weights, by the names of `cascade_qec.nn.CascadeNetwork`."""
        code, settings = codes.get(self.code), self.network
        width, channels, frame = settings.width, settings.channels, code.frame("Z")

        def norm(name: str, size: int) -> dict[str, tuple[int, ...]]:
            return {f"{name}.{what}": (size,) for what in ("weight", "bias", "mean", "variance")}

        found: dict[str, tuple[int, ...]] = {"trunk.embedding": (frame.kinds * (ABSENT + 1), width)}
        for number in range(settings.depth):
            block = f"trunk.blocks.{number}"
            found |= norm(f"{block}.norm_in", width) | norm(f"{block}.norm_out", channels)
            found |= {f"{block}.down.weight": (channels, width), f"{block}.up.weight": (width, channels)}
            if settings.mixer != "convolution":
                found |= norm(f"{block}.norms.0", channels)
                for matrix in ("query", "key", "value", "output"):
                    found[f"{block}.convolutions.0.{matrix}.weight"] = (channels, channels)
                positions = count_positions(frame, settings.mixer)
                found[f"{block}.convolutions.0.position_bias"] = (positions, channels // HEAD_CHANNELS)
                continue
            for step, table in enumerate(convolution_tables(frame, settings.convolution, 2)):
                inputs, planes = table.relations * channels, table.planes_out
                shape = (planes, inputs) if settings.depthwise else (planes * channels, inputs)
                found |= norm(f"{block}.norms.{step}", channels) | {f"{block}.convolutions.{step}.weight": shape}
        found |= norm("trunk.norm_out", width)
        if self.told is not None:
            found["trunk.told"] = (2 * len(self.told), width)
        if self.components is not None:
            return found | {"head.output": (len(self.components), width), "head.output_bias": (len(self.components),)}
        table = data_relations(frame, 2)
        return (
            found
            | norm("head.norm", width)
            | {
                "head.to_data.weight": (width, table.planes_out * table.relations * width),
                "head.hidden.weight": (2 * width, width),
                "head.hidden_bias": (2 * width,),
                "head.output": (1, 2 * width),
                "head.output_bias": (1,),
            }
        )
