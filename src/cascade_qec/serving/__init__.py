"""Decoding as a service: many sessions side by side, streamed in and out by gRPC. Needs ``cascade-qec[serve]``."""

from cascade_qec.serving.background import background
from cascade_qec.serving.client import Client, RemoteStream
from cascade_qec.serving.limits import Limits
from cascade_qec.serving.server import Server

__all__ = ["Client", "Limits", "RemoteStream", "Server", "background"]
