"""Samples in a folder: `metadata.json` with questions and reference answers by family, a folder of pictures for each.

`experiment_config.json`, if it is there, has the tolerances of the parameters, as the data set's authors ship them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from cascade_qec.errors import CascadeError

QUESTIONS = ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6")
"""Describe the figure; classify; what does it imply; is the fit reliable; parameters; status."""

METADATA = "metadata.json"
_TOLERANCES = "experiment_config.json"


class Tolerance(BaseModel):
    """How a parameter is compared: one of the kinds in `scoring`, and differences that score 1 and 1/2."""

    type: str
    tol_full: float = 0.0
    tol_half: float = 0.0


class Sample(BaseModel):
    """A picture, its questions and the reference answers (those that it has).

    Attributes
    ----------
    data
        Name of the measurement's file, where it is there beside the picture.
    prompts, references
        By question; in the file they are ``q1_prompt``, ``q1_answer`` and so on.
    q1_key_points, q3_key_points
        What a judge looks for in the answers to questions 1 and 3.
    """

    id: str
    experiment_type: str = ""
    family: str = ""
    image: str = ""
    images: list[str] = []
    data: str | None = None
    prompts: dict[str, str] = {}
    references: dict[str, str] = {}
    q1_key_points: list[str] = []
    q3_key_points: list[str] = []
    q5_scoring: dict[str, Tolerance] = {}
    folder: Path = Field(default=Path(), exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        found = {kind: {one: given.get(f"{one.lower()}_{kind}") for one in QUESTIONS} for kind in ("prompt", "answer")}
        prompts, references = ({key: text for key, text in one.items() if text} for one in found.values())
        return {"prompts": prompts, "references": references} | given

    def questions(self) -> list[str]:
        """Those that it asks and has a reference answer to."""
        return [one for one in QUESTIONS if one in self.prompts and one in self.references]

    def pictures(self) -> list[bytes]:
        """The pictures' files.

        Raises
        ------
        CascadeError
            If one is not in the family's folder.
        """
        return [self.file(name).read_bytes() for name in self.images or [self.image]]

    def file(self, name: str) -> Path:
        """A file in the family's folder.

        Raises
        ------
        CascadeError
            If there is none of that name.
        """
        path = self.folder / self.family / name
        if Path(name).name != name or Path(self.family).name != self.family or not path.is_file():
            raise CascadeError(f"sample {self.id}: expected the file {name} in {self.folder / self.family}, found none")
        return path


class _Family(BaseModel):
    q5_scoring: dict[str, Tolerance] = {}


_Samples = TypeAdapter(dict[str, list[Sample]])
_Families = TypeAdapter(dict[str, _Family])


def load(folder: Path) -> list[Sample]:
    """All samples of a folder, in its order.

    Raises
    ------
    CascadeError
        If there are none, or the files are not laid out so.
    """
    try:
        families = _Samples.validate_json((folder / METADATA).read_bytes())
        config = folder / _TOLERANCES
        known = _Families.validate_json(config.read_bytes()) if config.exists() else {}
    except OSError as error:
        raise CascadeError(f"{folder}: expected samples with a {METADATA}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise CascadeError(
            f"{folder}: expected samples in the layout of {METADATA}; {where}: {first['msg']}"
        ) from error
    samples = [
        one.model_copy(
            update={
                "family": family,
                "folder": folder,
                "q5_scoring": one.q5_scoring or known.get(family, _Family()).q5_scoring,
            }
        )
        for family, found in families.items()
        for one in found
    ]
    names = [one.id for one in samples]
    if not samples or len(set(names)) < len(names):
        raise CascadeError(f"{folder}: expected samples, each with an id of its own, found {len(samples)}")
    return samples
