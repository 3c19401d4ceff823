// Compiled once for each instruction set, CASCADE_SET, and linked side by side.
#include "kernels.h"

#include "tiles.h"
#include "training_loops.h"

namespace {

// What V vectors of the hidden layer add to an operator's answer.
template <int V>
Vec answer(const float* x, size_t stride, const int32_t* place, int places, float share, const float* bias,
           const float* w) {
    Vec sum[V]{}, answer{};
    for (int i = 0; i < places; i++)
        each<V>([&](auto v) INLINE { sum[v] += load(x + place[i] * stride + v * LANES); });
    each<V>([&](auto v) INLINE {
        answer += silu(load(bias + v * LANES) + share * sum[v]) * load(w + v * LANES);
    });
    return answer;
}

void answers(const float* x, size_t stride, const int32_t* starts, const int32_t* places, int operators, float share,
             const float* bias, const float* w, int channels, float* y) {
    for (int o = 0; o < operators; o++) {
        const int32_t* place = places + starts[o];
        const int count = starts[o + 1] - starts[o];
        Vec sum{};
        int c = 0;
        for (; c + 4 * LANES <= channels; c += 4 * LANES)
            sum += answer<4>(x + c, stride, place, count, share, bias + c, w + c);
        for (; c < channels; c += LANES) sum += answer<1>(x + c, stride, place, count, share, bias + c, w + c);
        y[o] = 0;
        for (int i = 0; i < LANES; i++) y[o] += sum[i];
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
    answers,
};

}  // namespace cascade
