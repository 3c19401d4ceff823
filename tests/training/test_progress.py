"""What the trainer's lines say."""

from cascade_qec.training.progress import first_names


def test_of_many_names_only_the_first_are_told() -> None:
    assert first_names(["Z0", "Z1", "Z2", "X0"]) == "Z0, Z1, Z2, X0"
    assert first_names([f"Z{index}" for index in range(144)]) == "Z0, Z1, Z2, Z3 and 140 more"
