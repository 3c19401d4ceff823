// Decoding and training with operands in bfloat16, and decoding with convolutions in eight bits, on chips of AVX-512 that
// multiply them.
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
    sum = reinterpret_cast<Vec>(_mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), _mm512_set1_epi32(four),
                                                    reinterpret_cast<__m512i>(w)));
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

}  // namespace

#include "tiles.h"
#include "training_loops.h"

namespace {

void round_bytes(const Bfloat16* x, const float* times, size_t rows, int channels, Byte* y) {
    for (int c = 0; c < channels; c += LANES) {
        const Vec scale = load(times + c), shift = scale * cascade::LEAST;
        for (size_t row = 0; row < rows; row++) {
            const Vec v = load(x + row * channels + c) * scale + shift;
            // above 255 it is 255
            const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(reinterpret_cast<__m512>(v)));
            std::memcpy(y + row * channels + c, &bytes, sizeof bytes);
        }
    }
}

void convolve_bytes(const Group* groups, int count, int shots, const uint32_t* wanted, const Byte* x, int channels,
                    const Byte* w, const float* scale, const float* bias, Bfloat16* y, const After<Bfloat16>* after) {
    const auto all = channels == LANES ? convolve<LANES, Byte, Bfloat16> : convolve<0, Byte, Bfloat16>;
    all(groups, count, shots, wanted, x, channels, w, scale, bias, channels, true, y, after);
}

void round_shots(const float* x, size_t rows, int shots, int width, float* steps, Byte* y) {
    constexpr int ZERO = cascade::ZERO, ABOVE = 255 - ZERO, NOT_FINITE = 0x99;
    for (int shot = 0; shot < shots; shot++) {
        const auto each_vector = [&](auto body) INLINE {
            for (size_t row = 0; row < rows; row++)
                for (int c = 0; c < width; c += LANES) body((row * shots + shot) * width + c);
        };
        __m512 high = _mm512_setzero_ps(), low = high;
        unsigned wrong = 0;
        each_vector([&](size_t at) INLINE {
            const __m512 v = reinterpret_cast<__m512>(load(x + at));
            high = _mm512_max_ps(high, v), low = _mm512_min_ps(low, v);
            wrong |= _mm512_fpclass_ps_mask(v, NOT_FINITE);
        });
        const float step = std::max({_mm512_reduce_max_ps(high) / ABOVE, -_mm512_reduce_min_ps(low) / ZERO, 1e-30f});
        const Vec times = all(1 / step), zero = all(ZERO);
        each_vector([&](size_t at) INLINE {
            const Vec v = load(x + at) * times + zero;
            const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(reinterpret_cast<__m512>(v)));
            std::memcpy(y + at, &bytes, sizeof bytes);
        });
        const uint32_t nan = 0x7fc00000;
        std::memcpy(steps + shot, wrong ? static_cast<const void*>(&nan) : &step, sizeof step);
    }
}

void convolve_head_bytes(const Group* groups, int count, int shots, const Byte* x, int width, const Byte* w,
                         const float* scale, const float* bias, float* y) {
    convolve<0, Byte, float>(groups, count, shots, nullptr, x, width, w, scale, bias, width, false, y, nullptr);
}

}  // namespace

namespace cascade {

extern const Decoding<Bfloat16> avx512_bfloat16 = decoding<Bfloat16>();
extern const Decoding8 avx512_int8 = {round_bytes, convolve_bytes, round_shots, convolve_head_bytes};
extern const Training<Bfloat16> avx512_bfloat16_training = training<Bfloat16>();

}  // namespace cascade
