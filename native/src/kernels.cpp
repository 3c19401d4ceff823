// Compiled once for each instruction set, CASCADE_SET, and linked side by side.
#include "kernels.h"

#include "tiles.h"
#include "training_loops.h"

namespace {

void dots(const float* x, const float* w, int rows, int channels, float* y) {
    for (int row = 0; row < rows; row++, x += channels) {
        Vec sums{};
        for (int c = 0; c < channels; c += LANES) sums += load(x + c) * load(w + c);
        y[row] = 0;
        for (int i = 0; i < LANES; i++) y[row] += sums[i];
    }
}

}  // namespace

namespace cascade {

#define CASCADE_TEXT(set) #set
#define CASCADE_NAME(set) CASCADE_TEXT(set)

extern const Kernels CASCADE_SET = {
    CASCADE_NAME(CASCADE_SET),
    LANES,
    decoding<float>(),
    training<float>(),
    gate<float, float>,
    dots,
};

}  // namespace cascade
