// Matrices in the layout of the kernels, in the numbers that they multiply.
#pragma once

#include <type_traits>
#include <vector>

#include "aligned.h"
#include "bfloat16.h"

namespace cascade {

// Of matrices of [inner, outer], one after the other; inner is a multiple of INPUTS.
template <class Number>
Numbers<Number> packed(Floats from, int inner, int outer) {
    if constexpr (std::is_same_v<Number, float>) {
        return from;
    } else {
        constexpr int ONCE = INPUTS<Number>;
        Numbers<Number> to(from.size());
        const size_t rows = from.size() / (static_cast<size_t>(inner) * outer) * inner;
        for (size_t row = 0; row < rows; row++)
            for (int o = 0; o < outer; o++)
                to[(row / ONCE * outer + o) * ONCE + row % ONCE] = rounded(from[row * outer + o]);
        return to;
    }
}

}  // namespace cascade
