// Vectors of floats as wide as the instruction set that this file is compiled for, and the functions of them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define CASCADE_LANES 16
#elif defined(__AVX2__)
#define CASCADE_LANES 8
#else
#define CASCADE_LANES 4
#endif

namespace {

constexpr int LANES = CASCADE_LANES;
constexpr int ROWS = LANES == 16  ? 12
                     : LANES == 8 ? 6
                                  : 4;  // of a product's tile, times two vectors: fits the registers

// Inputs whose weights stay in registers beside a tile's sums, where there are so many registers; else none.
constexpr int HELD = LANES == 16 ? 16 : 0;

typedef float Vec __attribute__((vector_size(4 * LANES)));
typedef int32_t Int __attribute__((vector_size(4 * LANES)));

inline Vec load(const float* p) {
    Vec v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }

inline Vec load_weights(const float* p) { return load(p); }

__attribute__((always_inline)) inline void multiply_add(Vec& sum, const float* x, Vec w) { sum += *x * w; }

inline Vec all(float x) { return x - Vec{}; }  // x + 0 would not be x where x is -0

inline Vec least(Vec a, Vec b) { return a < b ? a : b; }

inline Vec most(Vec a, Vec b) { return a > b ? a : b; }

// 2^r within 2e-7 of it, for r in [-1/2, 1/2].
inline Vec power_of_fraction(Vec r) {
    Vec p = all(1.3276472e-3f);
    p = p * r + 9.6755410e-3f;
    p = p * r + 5.5507131e-2f;
    p = p * r + 2.4022120e-1f;
    p = p * r + 6.9314694e-1f;
    return p * r + 1.0000001f;
}

#if defined(__AVX512F__)
inline Vec power_of_two(Vec x) {
    const Vec whole = reinterpret_cast<Vec>(_mm512_roundscale_ps(reinterpret_cast<__m512>(x), 0));
    return reinterpret_cast<Vec>(
        _mm512_scalef_ps(reinterpret_cast<__m512>(power_of_fraction(x - whole)), reinterpret_cast<__m512>(whole)));
}
#else
// For x in [-126, 126]; beyond, that of the nearest of them.
inline Vec power_of_two(Vec x) {
    x = least(most(x, all(-126.f)), all(126.f));
    const Vec shifted = x + 12582912.f;  // 1.5 * 2^23: the nearest integer is in the lowest bits
    const Vec p = power_of_fraction(x - (shifted - 12582912.f));
    return reinterpret_cast<Vec>(reinterpret_cast<Int>(p) + (reinterpret_cast<Int>(shifted) << 23));
}
#endif

inline Vec sigmoid(Vec x) { return 1.f / (1.f + power_of_two(x * -1.44269504f)); }

inline Vec silu(Vec x) { return x / (1.f + power_of_two(x * -1.44269504f)); }

#if defined(__AVX512F__)
inline float total(Vec x) { return _mm512_reduce_add_ps(reinterpret_cast<__m512>(x)); }
#else
inline float total(Vec x) {
    float part[LANES];
    store(part, x);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) part[i] += part[i + half];
    return part[0];
}
#endif

// As exact as numbers of this type are.
template <class Number>
inline Vec sigmoid_to(Vec x) {
    return sigmoid(x);
}

template <class Number>
inline Vec silu_to(Vec x) {
    return silu(x);
}

}  // namespace
