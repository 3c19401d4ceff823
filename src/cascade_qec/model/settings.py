"""What shapes a network's weights."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cascade_qec import limits

Mixer = Literal["convolution", "local_attention", "full_attention"]

HEAD_CHANNELS = 4
"""Channels of an attention's head."""

_MATRICES = 132
"""Of a block's convolution at most: direct, of a BB code, 66 for each kind of check."""


def _is_convolution(mixer: Any) -> bool:
    return mixer == "convolution"


class NetworkSettings(BaseModel):
    """One set of weights serves any distance, basis and number of rounds of a family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(ge=4, le=limits.WIDTH, description="channels H of the residual stream")
    depth: int = Field(ge=1, le=limits.DEPTH, description="number of bottleneck blocks L")
    bottleneck: int = Field(default=4, ge=1, le=limits.WIDTH, description="width divided by the convolution's channels")
    convolution: Literal["direct", "bipartite"] = Field(
        description="surface codes: direct (27 relations); BB codes: bipartite (12 a step) or direct (66)"
    )
    depthwise: bool = Field(default=False, description="convolve every channel on its own")
    mixer: Mixer = Field(
        default="convolution",
        exclude_if=_is_convolution,  # so that files of convolutions are what they were
        description="what mixes sites: the convolution, or for studies attention to neighbours or to all sites",
    )

    segment_rounds: int | None = Field(
        default=None,
        ge=1,
        le=limits.ROUNDS,
        exclude_if=lambda rounds: rounds is None,  # likewise
        description="of a logical head that learned so many rounds alone: it decides segments of about as many, and "
        "then whether an odd number of them flips an operator; see `ModelDescription.lengthened`",
    )

    @model_validator(mode="after")
    def _attending(self) -> NetworkSettings:
        if self.mixer == "convolution":
            return self
        if self.convolution != "direct" or self.depthwise:
            raise ValueError(f"expected convolution 'direct' and no depthwise one beside mixer {self.mixer!r}")
        if self.channels % HEAD_CHANNELS:
            raise ValueError(
                f"expected width / bottleneck to be a multiple of {HEAD_CHANNELS} for mixer {self.mixer!r}, "
                f"got {self.channels}"
            )
        return self

    @model_validator(mode="after")
    def _in_memory(self) -> NetworkSettings:
        convolved = _MATRICES if self.depthwise else _MATRICES * self.channels
        weights = self.depth * self.channels * (convolved + 2 * self.width)
        if weights > limits.WEIGHTS:
            raise ValueError(f"expected a network of at most {limits.WEIGHTS:,} weights, got up to {weights:,}")
        return self

    @property
    def channels(self) -> int:
        return max(1, self.width // self.bottleneck)
