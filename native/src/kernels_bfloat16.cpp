// Decoding with operands in bfloat16, on chips of AVX-512 that multiply them.
#include <immintrin.h>

#include "kernels.h"
#include "lanes.h"

namespace {

using cascade::Bfloat16;

inline Vec load_weights(const Bfloat16* p) { return load(reinterpret_cast<const float*>(p)); }

// A pair of inputs with the pairs of weights in each lane.
__attribute__((always_inline)) inline void multiply_add(Vec& sum, const Bfloat16* x, Vec w) {
    int32_t pair;
    std::memcpy(&pair, x, sizeof pair);
    sum = reinterpret_cast<Vec>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                 reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair)),
                                                 reinterpret_cast<__m512bh>(w)));
}

inline void store(Bfloat16* p, Vec v) {
    const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<__m512>(v));
    std::memcpy(p, &rounded, sizeof rounded);
}

// Within 2e-4 of it: an eighth of what rounding to bfloat16 adds.
template <>
inline Vec silu_to<Bfloat16>(Vec x) {
    const __m512 exponent = reinterpret_cast<__m512>(x * -1.44269504f);
    const Vec r = reinterpret_cast<Vec>(exponent) - reinterpret_cast<Vec>(_mm512_roundscale_ps(exponent, 1));
    Vec p = all(7.8024520e-2f);
    p = p * r + 2.2606716e-1f;
    p = p * r + 6.9583354e-1f;
    p = p * r + 9.9992522e-1f;
    const Vec power = reinterpret_cast<Vec>(_mm512_scalef_ps(reinterpret_cast<__m512>(p), exponent));
    return x * reinterpret_cast<Vec>(_mm512_rcp14_ps(reinterpret_cast<__m512>(1.f + power)));
}

}  // namespace

#include "tiles.h"

namespace cascade {

extern const Decoding<Bfloat16> avx512_bfloat16 = decoding<Bfloat16>();

}  // namespace cascade
