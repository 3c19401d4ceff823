#include "eight_bits.h"

#include <algorithm>
#include <cmath>

#include "bfloat16.h"

namespace cascade {

namespace {

constexpr float MOST_READ = 255, MOST_WEIGHT = 127;
constexpr float SMALLEST = 1e-30f;  // of steps: what is zero throughout stays so

// What is read is `zero` steps more than it says.
Convolution8 made(const Convolution<Bfloat16>& from, const Floats& step, const Floats& zero) {
    const size_t row = step.size(), matrix = row * row, matrices = from.weight.size() / matrix;
    Convolution8 to{Floats(row), Numbers<Byte>(from.weight.size()), Floats(row, SMALLEST),
                    Floats(from.sites_out * row, 0.f)};
    for (size_t i = 0; i < row; i++) to.times[i] = 1 / step[i];
    const auto at = [&](int inputs, size_t m, size_t i, size_t o) {
        return m * matrix + (i / inputs * row + o) * inputs + i % inputs;
    };
    const auto scaled = [&](size_t m, size_t i, size_t o) {
        return step[i] * as_float(from.weight[at(INPUTS<Bfloat16>, m, i, o)]);
    };
    for (size_t m = 0; m < matrices; m++)
        for (size_t i = 0; i < row; i++)
            for (size_t o = 0; o < row; o++)
                to.scale[o] = std::max(to.scale[o], std::abs(scaled(m, i, o)) / MOST_WEIGHT);

    Floats added(matrices * row, 0.f);  // of each matrix, what `zero` of every channel takes away
    for (size_t m = 0; m < matrices; m++)
        for (size_t i = 0; i < row; i++)
            for (size_t o = 0; o < row; o++) {
                const auto weight = static_cast<int8_t>(std::lrint(scaled(m, i, o) / to.scale[o]));
                to.weight[at(INPUTS<Byte>, m, i, o)] = {static_cast<uint8_t>(weight)};
                added[m * row + o] -= zero[i] * to.scale[o] * weight;
            }
    for (size_t i = 0; i < to.bias.size() && !from.bias.empty(); i++) to.bias[i] = from.bias[i % row];
    for (size_t i = 0; i < from.readers.site.size(); i++)
        for (size_t o = 0; o < row; o++)
            to.bias[from.readers.site[i] * row + o] += added[from.readers.block[i] * row + o];
    return to;
}

}  // namespace

Convolution8 in_eight_bits(const Convolution<Bfloat16>& from, const float* peaks, int channels) {
    Floats step(channels), zero(channels);
    for (int i = 0; i < channels; i++) {
        step[i] = std::max((peaks[i] + LEAST) / MOST_READ, SMALLEST);
        zero[i] = LEAST / step[i];
    }
    return made(from, step, zero);
}

Convolution8 head_in_eight_bits(const Convolution<Bfloat16>& from, int width) {
    return made(from, Floats(width, 1.f), Floats(width, ZERO));
}

}  // namespace cascade
