"""Result tables as figures need them: which columns, and how they are checked."""

from pydantic import BaseModel, ConfigDict


class FitRow(BaseModel):
    """A figure of a law fitted to rates, or of the suppression with distance; ends of intervals may be infinite."""

    model_config = ConfigDict(frozen=True)

    decoder: str
    code: str
    form: str
    parameter: str
    value: float | None
    value_low: float | None
    value_high: float | None
    p: float | None = None
    rounds: str = ""
    bases: str = ""
