"""What shapes a network's weights."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NetworkSettings(BaseModel):
    """One set of weights serves any distance, basis and number of rounds of a family."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: int = Field(ge=4, description="channels H of the residual stream")
    depth: int = Field(ge=1, description="number of bottleneck blocks L")
    bottleneck: int = Field(default=4, ge=1, description="width divided by the convolution's channels")
    convolution: Literal["direct", "bipartite"] = Field(
        description="surface codes: direct (27 relations); BB codes: bipartite (12 a step) or direct (66)"
    )
    depthwise: bool = Field(default=False, description="convolve every channel on its own")

    @property
    def channels(self) -> int:
        return max(1, self.width // self.bottleneck)
