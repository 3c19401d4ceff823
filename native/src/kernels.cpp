// Compiled once for each instruction set, CASCADE_SET, and linked side by side.
#include "kernels.h"

#include "tiles.h"

namespace {

using cascade::Norm;
using cascade::Pairs;

template <int T, int V>
void outer_tile(Pairs pairs, int shots, const float* x, int inner, const float* y, int outer, float* w) {
    Vec sum[T][V] = {};
    for (int pair = 0; pair < pairs.count; pair++) {
        const float* a = x + static_cast<ptrdiff_t>(pairs.from[pair]) * shots * inner;
        const float* b = y + static_cast<ptrdiff_t>(pairs.to[pair]) * shots * outer;
        for (int shot = 0; shot < shots; shot++, a += inner, b += outer) {
            Vec row[V];
            each<V>([&](auto v) INLINE { row[v] = load(b + v * LANES); });
            each<T>([&](auto t) INLINE {
                const float one = a[t];
                each<V>([&](auto v) INLINE { sum[t][v] += one * row[v]; });
            });
        }
    }
    each<T>([&](auto t) INLINE {
        each<V>([&](auto v) INLINE {
            float* at = w + static_cast<ptrdiff_t>(t) * outer + v * LANES;
            store(at, load(at) + sum[t][v]);
        });
    });
}

void outer_product(Pairs pairs, int shots, const float* x, int inner, const float* y, int outer, float* w) {
    for (int k = 0; k < inner; k += ROWS)
        of_rows(inner - k < ROWS ? inner - k : ROWS, [&](auto t) {
            columns(outer, [&](auto v, int column) INLINE {
                outer_tile<t, v>(pairs, shots, x + k, inner, y + column, outer,
                                 w + static_cast<ptrdiff_t>(k) * outer + column);
            });
        });
}

void moments(const float* x, int rows, int channels, double* sums) {
    for (int c = 0; c < channels; c += LANES) {
        Vec sum{}, squares{};
        for (int row = 0; row < rows; row++) {
            const Vec v = load(x + static_cast<ptrdiff_t>(row) * channels + c);
            sum += v, squares += v * v;
        }
        for (int i = 0; i < LANES; i++) sums[c + i] += sum[i], sums[channels + c + i] += squares[i];
    }
}

void gate_gradient(const float* d, const float* x, Norm norm, int rows, int channels, float* dz, double* sums) {
    for (int c = 0; c < channels; c += LANES) {
        const Vec scale = load(norm.scale + c), shift = load(norm.shift + c);
        const Vec deviation = load(norm.deviation + c), offset = load(norm.offset + c);
        Vec sum{}, along{};
        for (int row = 0; row < rows; row++) {
            const ptrdiff_t at = static_cast<ptrdiff_t>(row) * channels + c;
            const Vec v = load(x + at), u = scale * v + shift, s = sigmoid(u);
            const Vec gradient = load(d + at) * (s + s * u * (1.f - s));
            store(dz + at, gradient);
            sum += gradient, along += gradient * (v * deviation + offset);
        }
        for (int i = 0; i < LANES; i++) sums[c + i] += sum[i], sums[channels + c + i] += along[i];
    }
}

void norm_gradient(const float* dz, const float* x, Norm norm, const float* mean, const float* projection, int rows,
                   int channels, bool add, float* dx) {
    for (int row = 0; row < rows; row++, dz += channels, x += channels, dx += channels)
        for (int c = 0; c < channels; c += LANES) {
            const Vec normalised = load(x + c) * load(norm.deviation + c) + load(norm.offset + c);
            const Vec gradient =
                load(norm.scale + c) * (load(dz + c) - load(mean + c) - normalised * load(projection + c));
            store(dx + c, add ? load(dx + c) + gradient : gradient);
        }
}

void convolve_plain(const Group* groups, int count, int shots, const float* x, int inner, const float* w, int outer,
                    float* y) {
    convolve<float, float>(groups, count, shots, nullptr, x, inner, w, nullptr, nullptr, outer, false, y, nullptr);
}

void dots(const float* x, const float* w, int rows, int channels, float* y) {
    for (int row = 0; row < rows; row++, x += channels) {
        Vec sums{};
        for (int c = 0; c < channels; c += LANES) sums += load(x + c) * load(w + c);
        y[row] = 0;
        for (int i = 0; i < LANES; i++) y[row] += sums[i];
    }
}

}  // namespace

namespace cascade {

#define CASCADE_TEXT(set) #set
#define CASCADE_NAME(set) CASCADE_TEXT(set)

extern const Kernels CASCADE_SET = {
    CASCADE_NAME(CASCADE_SET),
    LANES,
    ROWS,
    decoding<float>(),
    convolve_plain,
    product<float, float>,
    outer_product,
    moments,
    gate_gradient,
    norm_gradient,
    gate<float>,
    dots,
};

}  // namespace cascade
