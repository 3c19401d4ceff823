"""Images of magneto-optical traps: round clouds, clouds with a tail, and none."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from cascade_calibration.measurement import Measurement
from cascade_calibration.simulation.draw import Draw, Simulator
from cascade_calibration.simulation.readout import log_uniform

_MODES = {"good": "SUCCESS", "no atoms": "NO_SIGNAL", "tail": "ASYMMETRIC"}


def draw(mode: str, snr: float, rng: np.random.Generator) -> Draw:
    """Images of 60 to 240 pixels a side, clouds of 3 to 12 pixels; signal to noise is the peak over a pixel's noise."""
    height, width = rng.integers(60, 241, 2)
    brightness = log_uniform(rng, 1.0, 1e4)
    noise = brightness / snr
    size = log_uniform(rng, 3.0, min(height, width) / 14)
    widths = size * np.sort(rng.uniform(0.85, 1.2, 2))
    x0, y0 = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    angle, way = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.arange(width), np.arange(height))

    def cloud(x0: float, y0: float) -> np.ndarray:
        u = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
        v = -(x - x0) * np.sin(angle) + (y - y0) * np.cos(angle)
        return np.exp(-0.5 * (u / widths[1]) ** 2 - 0.5 * (v / widths[0]) ** 2)

    image = np.zeros((height, width))
    if mode == "good":
        image = cloud(x0, y0)
    if mode == "tail":  # what is pushed out
        length = size * rng.uniform(1.5, 4.0)
        steps = np.linspace(0, 5, 60)
        parts = [np.exp(-s) * cloud(x0 + s * length * np.cos(way), y0 + s * length * np.sin(way)) for s in steps]
        image = np.sum(parts, axis=0)
        image = image / image.max()
    background = rng.uniform(0, 2) * brightness
    drift = 0.2 * noise * gaussian_filter(rng.standard_normal((height, width)), 40) * 40
    image = brightness * image + background + drift + noise * rng.standard_normal((height, width))
    if rng.random() < 0.25:  # cosmic rays
        image = image + (rng.random(image.shape) < 3e-4) * brightness * rng.uniform(0, 8, image.shape)
    axes = {"y": (np.arange(float(height)), "px"), "x": (np.arange(float(width)), "px")}
    measurement = Measurement.of(axes, {"intensity": (image, "")}, family="mot_loading", name="MOT loading")
    truth = {"center x": x0, "center y": y0, "width": np.sqrt(widths[0] * widths[1])}
    # beams and fields are to change, which no other range does
    return Draw(measurement, {k: float(v) for k, v in truth.items()} if mode == "good" else {})


SIMULATOR = Simulator(_MODES, draw)
