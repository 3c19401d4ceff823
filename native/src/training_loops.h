// What training takes its time for, of floats or with operands in bfloat16; its products are those of tiles.h.
#pragma once

#include "tiles.h"

namespace {

using cascade::Norm;
using cascade::Pairs;
using cascade::Training;

constexpr int TALL = LANES == 16 ? 16 : ROWS;  // inputs of an outer product's tile

inline void lay_rows(const float* x, const float*, float* y) { store(y, load(x)); }

template <class Number>
void lay(const Number* x, int rows, int channels, Number* y) {
    constexpr int ONCE = INPUTS<Number>;
    for (int row = 0; row < rows; row += ONCE, x += ONCE * channels, y += ONCE * channels)
        for (int c = 0; c < channels; c += LANES)
            lay_rows(x + c, row + 1 < rows ? x + channels + c : nullptr, y + c * ONCE);
}

template <int T, int V, class Number>
void outer_tile(Pairs pairs, int tiers, const Number* x, int inner, const Number* y, int outer, float* w) {
    constexpr int ONCE = INPUTS<Number>;
    Vec sum[T][V] = {};
    for (int pair = 0; pair < pairs.count; pair++) {
        const Number* a = x + static_cast<ptrdiff_t>(pairs.from[pair]) * tiers * inner * ONCE;
        const Number* b = y + static_cast<ptrdiff_t>(pairs.to[pair]) * tiers * outer * ONCE;
        for (int tier = 0; tier < tiers; tier++, a += inner * ONCE, b += outer * ONCE) {
            Vec row[V];
            each<V>([&](auto v) INLINE { row[v] = load_weights(b + v * LANES * ONCE); });
            each<T>([&](auto t)
                        INLINE { each<V>([&](auto v) INLINE { multiply_add(sum[t][v], a + t * ONCE, row[v]); }); });
        }
    }
    each<T>([&](auto t) INLINE {
        each<V>([&](auto v) INLINE {
            float* at = w + static_cast<ptrdiff_t>(t) * outer + v * LANES;
            store(at, load(at) + sum[t][v]);
        });
    });
}

template <class Number>
void outer_product(Pairs pairs, int tiers, const Number* x, int inner, const Number* y, int outer, float* w) {
    constexpr int ONCE = INPUTS<Number>;
    for (int k = 0; k < inner; k += TALL)
        of_rows<TALL>(std::min(inner - k, TALL), [&](auto t) {
            columns(outer, [&](auto v, int column) INLINE {
                outer_tile<t, v>(pairs, tiers, x + k * ONCE, inner, y + column * ONCE, outer,
                                 w + static_cast<ptrdiff_t>(k) * outer + column);
            });
        });
}

template <class Number>
void round_all(const float* x, size_t count, Number* y) {
    for (size_t at = 0; at < count; at += LANES) store(y + at, load(x + at));
}

template <class Number>
void widen(const Number* x, size_t count, float* y) {
    for (size_t at = 0; at < count; at += LANES) store(y + at, load(x + at));
}

template <class In>
void moments(const In* x, int rows, int channels, double* sums) {
    for (int c = 0; c < channels; c += LANES) {
        Vec sum{}, squares{};
        for (int row = 0; row < rows; row++) {
            const Vec v = load(x + static_cast<ptrdiff_t>(row) * channels + c);
            sum += v, squares += v * v;
        }
        for (int i = 0; i < LANES; i++) sums[c + i] += sum[i], sums[channels + c + i] += squares[i];
    }
}

template <class Number>
void gate_kept(const Number* x, const float* scale, const float* shift, int rows, int channels, Number* y) {
    for (int row = 0; row < rows; row++, x += channels, y += channels)
        for (int c = 0; c < channels; c += LANES)
            store(y + c, silu_to<Number>(load(scale + c) * load(x + c) + load(shift + c)));
}

template <class In, class Number>
void gate_gradient(const In* d, const Number* x, Norm norm, int rows, int channels, Number* dz, Number* y,
                   double* sums) {
    for (int c = 0; c < channels; c += LANES) {
        const Vec scale = load(norm.scale + c), shift = load(norm.shift + c);
        const Vec deviation = load(norm.deviation + c), offset = load(norm.offset + c);
        Vec sum{}, along{};
        for (int row = 0; row < rows; row++) {
            const ptrdiff_t at = static_cast<ptrdiff_t>(row) * channels + c;
            const Vec v = load(x + at), u = scale * v + shift, s = sigmoid_to<Number>(u), active = s * u;
            const Vec gradient = load(d + at) * (s + active * (1.f - s));
            store(dz + at, gradient);
            if (y) store(y + at, active);
            sum += gradient, along += gradient * (v * deviation + offset);
        }
        for (int i = 0; i < LANES; i++) sums[c + i] += sum[i], sums[channels + c + i] += along[i];
    }
}

template <class Number, class Write>
INLINE inline void norm_gradients(const Number* dz, const Number* x, Norm norm, const float* mean,
                                  const float* projection, int rows, int channels, Write write) {
    for (int c = 0; c < channels; c += LANES) {
        const Vec scale = load(norm.scale + c), along = load(projection + c);
        // scale (dz - mean - (x deviation + offset) along)
        const Vec of_x = -scale * load(norm.deviation + c) * along,
                  constant = -scale * (load(mean + c) + load(norm.offset + c) * along);
        for (int row = 0; row < rows; row++) {
            const ptrdiff_t at = static_cast<ptrdiff_t>(row) * channels + c;
            write(at, scale * load(dz + at) + (of_x * load(x + at) + constant));
        }
    }
}

template <class Number>
void norm_gradient(const Number* dz, const Number* x, Norm norm, const float* mean, const float* projection, int rows,
                   int channels, Number* dx) {
    norm_gradients(dz, x, norm, mean, projection, rows, channels,
                   [&](ptrdiff_t at, Vec gradient) INLINE { store(dx + at, gradient); });
}

template <class Number>
void add_norm_gradient(const Number* dz, const Number* x, Norm norm, const float* mean, const float* projection,
                       int rows, int channels, float* dx) {
    norm_gradients(dz, x, norm, mean, projection, rows, channels,
                   [&](ptrdiff_t at, Vec gradient) INLINE { store(dx + at, load(dx + at) + gradient); });
}

template <class Number>
void convolve_plain(const Group* groups, int count, int shots, const Number* x, int inner, const Number* w, int outer,
                    Number* y) {
    convolve<0, Number, Number>(groups, count, shots, nullptr, x, inner, w, nullptr, nullptr, outer, false, y, nullptr);
}

template <class Number, class Out>
void product_plain(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, Out* y) {
    product(x, rows, inner, w, bias, outer, false, y);
}

template <class Number>
constexpr Training<Number> training() {
    return {
        ROWS,
        convolve_plain<Number>,
        product_plain<Number, float>,
        product_plain<Number, Number>,
        lay<Number>,
        outer_product<Number>,
        round_all<Number>,
        widen<Number>,
        moments<float>,
        moments<Number>,
        gate<Number>,
        gate_kept<Number>,
        gate_gradient<float, Number>,
        gate_gradient<Number, Number>,
        norm_gradient<Number>,
        add_norm_gradient<Number>,
    };
}

}  // namespace
