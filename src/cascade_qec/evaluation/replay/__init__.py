"""Replay: how far a streaming decoder falls behind when rounds come at a fixed pace."""

from cascade_qec.evaluation.replay.live import play_live
from cascade_qec.evaluation.replay.playing import Played, play, queue
from cascade_qec.evaluation.replay.table import ReplayRow, replay_rows, write_replays

__all__ = ["Played", "ReplayRow", "play", "play_live", "queue", "replay_rows", "write_replays"]
