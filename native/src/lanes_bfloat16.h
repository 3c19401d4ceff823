// What products of bfloat16 and of eight bits are made of, and SiLU as exact as those are.
#pragma once

#include <immintrin.h>

#include "kernels.h"
#include "lanes.h"

namespace {

using cascade::Bfloat16;
using cascade::Byte;

inline Vec load_weights(const Bfloat16* p) { return load(reinterpret_cast<const float*>(p)); }

inline Vec load_weights(const Byte* p) { return load(reinterpret_cast<const float*>(p)); }

// A pair of inputs with the pairs of weights in each lane.
__attribute__((always_inline)) inline void multiply_add(Vec& sum, const Bfloat16* x, Vec w) {
    int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    sum = reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                 reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)),
                                                 reinterpret_cast<__m512bh>(w)));
}

// Four inputs with the four weights in each lane; the sum is of integers.
__attribute__((always_inline)) inline void multiply_add(Vec& sum, const Byte* x, Vec w) {
    int32_t four;
    std::memcpy(&four, x, sizeof four);
    sum = reinterpret_cast<Vec>(
        _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), _mm512_set1_epi32(four), reinterpret_cast<__m512i>(w)));
}

inline Vec whole(Vec sum) { return reinterpret_cast<Vec>(_mm512_cvtepi32_ps(reinterpret_cast<__m512i>(sum))); }

inline void store(Bfloat16* p, Vec v) {
    const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
    std::memcpy(p, &rounded, sizeof rounded);
}

inline Vec load(const Bfloat16* p) {
    __m256i bits;
    std::memcpy(&bits, p, sizeof bits);
    return reinterpret_cast<Vec>(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

// Two rows, or one and zeros, as pairs of their channels.
inline void lay_rows(const Bfloat16* x, const Bfloat16* next, Bfloat16* y) {
    __m256i low, high = _mm256_setzero_si256();
    std::memcpy(&low, x, sizeof low);
    if (next) std::memcpy(&high, next, sizeof high);
    const __m512i above = _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16);
    const __m512i pairs = _mm512_or_si512(_mm512_cvtepu16_epi32(low), above);
    std::memcpy(y, &pairs, sizeof pairs);
}

// Within 2e-4 of it: an eighth of what rounding to bfloat16 adds.
template <>
inline Vec sigmoid_to<Bfloat16>(Vec x) {
    const __m512 exponent = reinterpret_cast<__m512>(x * -1.44269504f);
    const Vec r = reinterpret_cast<Vec>(_mm512_reduce_ps(exponent, 1));  // what is above the next lower integer
    Vec p = all(7.8024520e-2f);
    p = p * r + 2.2606716e-1f;
    p = p * r + 6.9583354e-1f;
    p = p * r + 9.9992522e-1f;
    const Vec power = reinterpret_cast<Vec>(_mm512_scalef_ps(reinterpret_cast<__m512>(p), exponent));
    return reinterpret_cast<Vec>(_mm512_rcp14_ps(reinterpret_cast<__m512>(1.f + power)));
}

template <>
inline Vec silu_to<Bfloat16>(Vec x) {
    return x * sigmoid_to<Bfloat16>(x);
}

// SiLU is max(x, 0) and something of |x| that is linear in each of 32 segments, and zero from 7.75 on: within 0.002 of
// it before that and 0.0034 behind, where most steps of eight bits are larger.
struct Segments32 {
    alignas(64) float constant[32], slope[32];
};

constexpr Segments32 SEGMENTS32{
    {
        -0.0004871707f, -0.01341401f, -0.05674229f, -0.120539f,   -0.1946308f,  -0.268629f,   -0.3339516f,  -0.384923f,
        -0.4189337f,    -0.435942f,   -0.4376784f,  -0.4268606f,  -0.4065285f,  -0.3796202f,  -0.3487132f,  -0.3159166f,
        -0.2828569f,    -0.2507175f,  -0.220305f,   -0.1921221f,  -0.1664369f,  -0.1433438f,  -0.1228141f,  -0.1047359f,
        -0.08894539f,   -0.07524967f, -0.06344356f, -0.05332131f, -0.04468443f, -0.03734667f, -0.03113681f, -0.2306345f,
    },
    {
        -0.4687906f, -0.3766048f, -0.2606127f,  -0.1581396f,  -0.07313016f, -0.007090163f, 0.04061571f,  0.07212521f,
        0.09036175f, 0.09842912f, 0.09920067f,  0.09510196f,  0.08804169f,  0.07943589f,   0.07027903f,  0.0612302f,
        0.05269601f, 0.04490157f, 0.03794708f,  0.03185061f,  0.02657929f,  0.02207111f,   0.01824974f,  0.01503427f,
        0.01234523f, 0.01010813f, 0.008255327f, 0.006726741f, 0.005469904f, 0.004439592f,  0.003597215f, 0.02975928f,
    }};

template <>
inline Vec silu_to<Byte>(Vec x) {
    const __m512 v = reinterpret_cast<__m512>(x);
    const __m512 size = _mm512_range_ps(v, _mm512_set1_ps(7.75f), 0b1010);  // the less of |x| and this
    // the nearest quarter is in the lowest bits
    const __m512i at = reinterpret_cast<__m512i>(size * 4.f + 12582912.f);
    const __m512 constant =
        _mm512_permutex2var_ps(_mm512_load_ps(SEGMENTS32.constant), at, _mm512_load_ps(SEGMENTS32.constant + 16));
    const __m512 slope =
        _mm512_permutex2var_ps(_mm512_load_ps(SEGMENTS32.slope), at, _mm512_load_ps(SEGMENTS32.slope + 16));
    const __m512 above = _mm512_max_ps(_mm512_setzero_ps(), v);  // what is no number stays so
    return reinterpret_cast<Vec>(above + (slope * size + constant));
}

}  // namespace
