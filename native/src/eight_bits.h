// The convolutions of a network with operands in eight bits.
#pragma once

#include <vector>

#include "program.h"

namespace cascade {

// What one convolution reads is unsigned, with a step for each channel; weights have one for each channel that it
// results in.
struct Convolution8 {
    Floats times;              // [channels]: one over the steps of what is read
    Numbers<Byte> weight;  // [planes, relations, channels, channels], packed
    Floats scale;              // [channels]: of its sums
    Floats bias;               // [sites out, channels]
};

// From one in bfloat16, and the largest values that each channel of what it reads has.
Convolution8 in_eight_bits(const Convolution<Bfloat16>& from, const float* peaks, int channels);

// The head's, whose channels have one step, that of each shot: sums are in that.
Convolution8 head_in_eight_bits(const Convolution<Bfloat16>& from, int width);

}  // namespace cascade
