"""QCalEval (arXiv 2604.25884): six questions about each picture of a calibration, asked and scored."""

from cascade_calibration.assistant.qcaleval.running import Answerer, ScoreRow, about, asking, run, scores
from cascade_calibration.assistant.qcaleval.samples import QUESTIONS, Sample, load
from cascade_calibration.assistant.qcaleval.simulated import ANALYSERS, analysers, draw

__all__ = [
    "ANALYSERS",
    "QUESTIONS",
    "Answerer",
    "Sample",
    "ScoreRow",
    "about",
    "analysers",
    "asking",
    "draw",
    "load",
    "run",
    "scores",
]
