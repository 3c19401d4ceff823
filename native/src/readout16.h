// What operators say, with the sums over their places and SiLU in sixteen bits.
#pragma once

#include "kernels.h"

namespace cascade {

// See Decoding8.
void read_out_halves(const Readout<Bfloat16>& of, const float* x, int shots, Bfloat16* rows, float* parts,
                     int16_t* halves, float* logits);

}  // namespace cascade
