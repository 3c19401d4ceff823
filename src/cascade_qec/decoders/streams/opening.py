"""From a decoder and an experiment to windows."""

from __future__ import annotations

from math import ceil, sqrt

from cascade_qec.decoders.cascade import CascadeDecoder, Source
from cascade_qec.decoders.escalation import EscalatingDecoder
from cascade_qec.decoders.local import LocalDecoder
from cascade_qec.decoders.named import NamedModel
from cascade_qec.decoders.protocol import Decoder
from cascade_qec.decoders.streams.local import LocalWindows
from cascade_qec.decoders.streams.models import ModelWindows
from cascade_qec.decoders.streams.timeline import Timeline
from cascade_qec.decoders.streams.whole import WholeWindows
from cascade_qec.decoders.streams.windows import Method, Windows
from cascade_qec.errors import CascadeError
from cascade_qec.recognition import read_experiment


def check_alone(decoder: Decoder) -> None:
    """Refuse decoders that ask others about whole shots, which a stream has not.

    Raises
    ------
    CascadeError
        If it has a fallback.
    """
    if isinstance(decoder, EscalatingDecoder):
        raise CascadeError(f"expected a decoder without a fallback, which decides whole shots, got {decoder.name}")


def windows(
    decoder: Decoder,
    experiment: Source,
    /,
    *,
    commit: int | None = None,
    buffer: int | None = None,
    method: Method = "carry",
) -> Windows:
    """Make a decoder ready for streams of an experiment: done once for any number of them.

    Parameters
    ----------
    decoder
        A local model, which is given each window's events as they were measured; a model with a logical head, which
        answers at the end, in one piece; any other, which is given the error model of each window.
    experiment
        A memory experiment of any number of rounds: a circuit or error model, its text, or the path of its file. Its
        detectors have coordinates (x, y, t), or it is one of a known code. Of a loop that turns often it is enough to
        look at a few turns.
    commit, buffer
        Rounds that a window decides, and rounds that it looks ahead; by default about the distance each, the root of
        the number of detectors in a round.
    method
        How windows fit together, see `Method`.

    Raises
    ------
    CascadeError
        If the decoder cannot decode the experiment, has a fallback, which is asked about whole shots, or does not know
        when its detectors arrive; if an error flips detectors further apart than windows look ahead.
    """
    check_alone(decoder)
    source = read_experiment(experiment)
    if isinstance(decoder, NamedModel):
        decoder = decoder.loaded()
    if isinstance(decoder, CascadeDecoder) and not isinstance(decoder, LocalDecoder):
        return WholeWindows(decoder, Timeline.whole(source))
    timeline = Timeline.of(source, 1)
    distance = ceil(sqrt(1 + len(timeline.detectors[len(timeline.detectors) // 2])))
    sizes = {"commit": distance if commit is None else commit, "buffer": distance if buffer is None else buffer}
    context = decoder.description.network.depth if isinstance(decoder, LocalDecoder) else 0
    if len(timeline.detectors) < timeline.slices:  # a loop, of which more turns may be needed
        timeline = Timeline.of(source, context + 2 * sum(sizes.values()))
    if isinstance(decoder, LocalDecoder):
        return LocalWindows(decoder, timeline, context=context, method=method, **sizes)
    return ModelWindows(decoder, timeline, method=method, **sizes)
