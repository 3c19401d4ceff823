"""Which detector of a circuit or error model from anywhere is which site of a code's lattice."""

from cascade_qec.recognition.experiment_file import read_circuit, read_error_model, read_experiment
from cascade_qec.recognition.observables import ObservableMap
from cascade_qec.recognition.recognise import Part, Recognition, recognise, recognise_any

__all__ = [
    "ObservableMap",
    "Part",
    "Recognition",
    "read_circuit",
    "read_error_model",
    "read_experiment",
    "recognise",
    "recognise_any",
]
