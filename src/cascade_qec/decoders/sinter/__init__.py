"""Any decoder in sinter's hands: as a ``sinter.Decoder``, and as a sampler that chooses its batches itself."""

from cascade_qec.decoders.sinter.adapter import SinterDecoder, sinter_decoders
from cascade_qec.decoders.sinter.sampler import BatchSampler

__all__ = ["BatchSampler", "SinterDecoder", "sinter_decoders"]
