"""Vision and language models: they explain measurements and propose steps, and decide nothing.

A model sees pictures and findings. It is offered no tools and no files, its answer has to fit a form, and what it
proposes is checked like anything else that would reach a laboratory.
"""

from cascade_calibration.assistant.explaining import Allowed, Explained, Explanation, Suggestion, allowed, explain
from cascade_calibration.assistant.models import PROVIDERS, Model, NoAnswer, Settings, connect

__all__ = [
    "PROVIDERS",
    "Allowed",
    "Explained",
    "Explanation",
    "Model",
    "NoAnswer",
    "Settings",
    "Suggestion",
    "allowed",
    "connect",
    "explain",
]
