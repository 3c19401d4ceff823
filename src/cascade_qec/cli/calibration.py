"""``cascade calibration``: what measurements of qubits show, and what to measure next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from cascade_qec import limits
from cascade_qec.cli.device_circuit import circuit
calibration.command()(loop)
