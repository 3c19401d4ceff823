// Decoding and training with operands in bfloat16, and decoding with convolutions in eight bits, on chips of AVX-512
// that multiply them.
#include "lanes_bfloat16.h"
#include "readout16.h"
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
extern const Decoding8 avx512_int8 = {
    sum_gated<Byte, float>, round_bytes, convolve_bytes, round_shots, convolve_head_bytes, cascade::read_out_halves};
extern const Training<Bfloat16> avx512_bfloat16_training = training<Bfloat16>();

}  // namespace cascade
