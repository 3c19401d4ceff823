// Rows of channels, copied and added.
#pragma once

#include "kernels.h"
#include "lanes.h"

namespace {

void add_rows(cascade::Pairs rows, const float* x, int channels, float* y) {
    for (int i = 0; i < rows.count; i++) {
        const float* from = x + static_cast<ptrdiff_t>(rows.from[i]) * channels;
        float* to = y + static_cast<ptrdiff_t>(rows.to[i]) * channels;
        for (int c = 0; c < channels; c += LANES) store(to + c, load(to + c) + load(from + c));
    }
}

void fill(const uint32_t* where, int sites, int shots, const float* x, int width, float* y) {
    for (int s = 0; s < sites; s++, x += width, y += static_cast<ptrdiff_t>(shots) * width)
        for (uint32_t left = where[s]; left; left &= left - 1) {
            float* to = y + static_cast<ptrdiff_t>(__builtin_ctz(left)) * width;
            for (int c = 0; c < width; c += LANES) store(to + c, load(x + c));
        }
}

}  // namespace
