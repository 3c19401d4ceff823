"""Classical decoders for the shots of a circuit or of a detector error model."""

import stim

from cascade_qec.decoders.classical_packages import require
from cascade_qec.decoders.classical_protocol import ClassicalDecoder, CompiledClassical
from cascade_qec.decoders.projection import without_decomposition
from cascade_qec.errors import CascadeError


def compile_for(decoder: ClassicalDecoder, source: stim.Circuit | stim.DetectorErrorModel) -> CompiledClassical:
    """Make a decoder ready for a circuit's shots, with the error model in the form that it wants.

    Parameters
    ----------
    decoder
    source
        A circuit, whose errors are decomposed into pairs for decoders that match; or a detector error model, whose
        decomposition is kept for these and undone for others.

    Raises
    ------
    CascadeError
        If the decoder's package is missing, or it cannot decode such errors.
    """
    require(decoder)
    if isinstance(source, stim.DetectorErrorModel):
        return decoder.compile(source if decoder.decomposed else without_decomposition(source))
    try:
        # flattened, as mechanisms that cross a loop's seam are listed in parts otherwise
        dem = source.detector_error_model(decompose_errors=decoder.decomposed, flatten_loops=True)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise CascadeError(f"{decoder.name} cannot decode this circuit: {reason}") from error
    return decoder.compile(dem)
