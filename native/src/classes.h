// Numbers of all logical classes, a power of two of them and at least a vector: what a decision takes.
#pragma once

#include "kernels.h"
#include "lanes.h"

namespace {

template <int STEP, int... I>
inline Vec butterfly(Vec v, std::integer_sequence<int, I...>) {
    return Vec{v[I ^ STEP]...} + v * Vec{(I & STEP ? -1.f : 1.f)...};
}

// Of the classes in a vector.
template <int STEP = 1>
inline Vec transformed(Vec v) {
    v = butterfly<STEP>(v, std::make_integer_sequence<int, LANES>());
    if constexpr (2 * STEP < LANES)
        return transformed<2 * STEP>(v);
    else
        return v;
}

void transform(float* x, int count) {
    for (int i = 0; i < count; i += LANES) store(x + i, transformed(load(x + i)));
    int step = LANES;
    for (; 4 * step <= count; step *= 4)
        for (int i = 0; i < count; i += 4 * step)
            for (float *a = x + i, *end = a + step; a < end; a += LANES) {
                const Vec first = load(a), second = load(a + step), third = load(a + 2 * step),
                          fourth = load(a + 3 * step);
                const Vec low = first + second, low_less = first - second, high = third + fourth,
                          high_less = third - fourth;
                store(a, low + high), store(a + step, low_less + high_less);
                store(a + 2 * step, low - high), store(a + 3 * step, low_less - high_less);
            }
    if (step < count)
        for (float* a = x; a < x + step; a += LANES) {
            const Vec first = load(a), second = load(a + step);
            store(a, first + second), store(a + step, first - second);
        }
}

float highest(const float* x, int count) {
    Vec found = load(x);
    for (int i = LANES; i < count; i += LANES) found = most(found, load(x + i));
    float part[LANES], best = x[0];
    store(part, found);
    for (float one : part) best = one > best ? one : best;
    return best;
}

float weigh(const float* x, int count, float top, float* y) {
    Vec sum{};
    for (int i = 0; i < count; i += LANES) {
        const Vec weight = power_of_two(most((load(x + i) - top) * 1.44269504f, all(-126.f)));
        sum += weight;
        store(y + i, weight);
    }
    return total(sum);
}

}  // namespace
