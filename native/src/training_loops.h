// What training takes its time for, of floats or with operands in bfloat16; its products are those of tiles.h.
#pragma once

#include "tiles.h"

namespace {

using cascade::Norm;
using cascade::NormGradient;
using cascade::Pairs;
using cascade::Training;

constexpr int TALL = LANES == 16 ? 16 : ROWS;  // inputs of an outer product's tile, and rows of one that lie together

// Adds the product of TALL rows that follow one another, INNER numbers each.
template <int INNER, class Number>
INLINE inline void add_tall(Vec (&sum)[TALL], const Number* x, const Number* w, int outer) {
    constexpr int ONCE = INPUTS<Number>;
    for (int k = 0; k < INNER; k += ONCE, x += ONCE, w += static_cast<ptrdiff_t>(ONCE) * outer) {
        const Vec held = load_weights(w);
        each<TALL>([&](auto t) INLINE { multiply_add(sum[t], x + t * INNER, held); });
    }
}

// Calls `body` with numbers of channels that networks have, where registers hold so tall a tile.
template <class Body>
INLINE inline bool of_inner(int inner, Body body) {
    if constexpr (LANES == 16) {
        if (inner == 16) return body(std::integral_constant<int, 16>()), true;
        if (inner == 32) return body(std::integral_constant<int, 32>()), true;
        if (inner == 64) return body(std::integral_constant<int, 64>()), true;
    }
    return false;
}

template <int INNER, class Number>
void convolve_tall(const Group& group, int shot, int shots, const Number* x, const Number* w, int outer, Number* y) {
    const ptrdiff_t row = static_cast<ptrdiff_t>(group.site[0]) * shots + shot;
    for (int column = 0; column < outer; column += LANES) {
        Vec sum[TALL] = {};
        for (int r = 0; r < group.relations; r++)
            add_tall<INNER>(sum, x + (static_cast<ptrdiff_t>(group.read[r]) * shots + shot) * INNER,
                            w + static_cast<ptrdiff_t>(group.block[r]) * INNER * outer + column * INPUTS<Number>,
                            outer);
        each<TALL>([&](auto t) INLINE { store(y + (row + t) * outer + column, sum[t]); });
    }
}

template <class Number>
void convolve_plain(const Group* groups, int count, int shots, const Number* x, int inner, const Number* w, int outer,
                    Number* y) {
    const After<Number>* none = nullptr;
    for (const Group* group = groups; group < groups + count; group++) {
        if (group->sites > 1) {
            convolve(group, 1, shots, nullptr, x, inner, w, nullptr, nullptr, outer, false, y, none);
            continue;
        }
        int shot = 0;
        of_inner(inner, [&](auto known) INLINE {
            for (; shot + TALL <= shots; shot += TALL) convolve_tall<known>(*group, shot, shots, x, w, outer, y);
        });
        convolve_site(*group, shot, shots, x, inner, w, nullptr, nullptr, outer, false, y, none);
    }
}

template <class Number, class Out>
void product_plain(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, Out* y) {
    int row = 0;
    of_inner(inner, [&](auto known) INLINE {
        for (; row + TALL <= rows; row += TALL)
            for (int column = 0; column < outer; column += LANES) {
                Vec sum[TALL];
                Out* to = y + static_cast<ptrdiff_t>(row) * outer + column;
                each<TALL>([&](auto t) INLINE {
                    sum[t] = bias ? load(bias + column) : load(to + static_cast<ptrdiff_t>(t) * outer);
                });
                add_tall<known>(sum, x + static_cast<ptrdiff_t>(row) * inner, w + column * INPUTS<Number>, outer);
                each<TALL>([&](auto t) INLINE { store(to + static_cast<ptrdiff_t>(t) * outer, sum[t]); });
            }
    });
    if (row < rows)
        product(x + static_cast<ptrdiff_t>(row) * inner, rows - row, inner, w, bias, outer, false,
                y + static_cast<ptrdiff_t>(row) * outer);
}

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

template <class In, class Out>
void convert(const In* x, size_t count, Out* y) {
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

// Of V vectors of each row.
template <int V, class In, class Number>
INLINE inline void gate_gradient_columns(const In* d, const Number* x, Norm norm, int rows, int channels, Number* dz,
                                         Number* y, double* sums) {
    Vec sum[V] = {}, along[V] = {};
    for (int row = 0; row < rows; row++, d += channels, x += channels, dz += channels)
        each<V>([&](auto v) INLINE {
            constexpr int c = v * LANES;
            const Vec of_x = load(x + c), u = load(norm.scale + c) * of_x + load(norm.shift + c);
            const Vec s = sigmoid_to<Number>(u), active = s * u;
            const Vec gradient = load(d + c) * (s + active * (1.f - s));
            store(dz + c, gradient);
            if (y) store(y + static_cast<ptrdiff_t>(row) * channels + c, active);
            sum[v] += gradient, along[v] += gradient * of_x;
        });
    each<V>([&](auto v) INLINE {
        constexpr int c = v * LANES;
        along[v] = along[v] * load(norm.deviation + c) + sum[v] * load(norm.offset + c);
        for (int i = 0; i < LANES; i++) sums[c + i] += sum[v][i], sums[channels + c + i] += along[v][i];
    });
}

template <class In, class Number>
void gate_gradient(const In* d, const Number* x, Norm norm, int rows, int channels, Number* dz, Number* y,
                   double* sums) {
    const auto from = [&](auto v, int c) INLINE {
        const Norm rest{norm.scale + c, norm.shift + c, norm.deviation + c, norm.offset + c};
        gate_gradient_columns<v>(d + c, x + c, rest, rows, channels, dz + c, y ? y + c : nullptr, sums + c);
    };
    int c = 0;
    for (; c + 4 * LANES <= channels; c += 4 * LANES) from(std::integral_constant<int, 4>(), c);
    for (; c < channels; c += LANES) from(std::integral_constant<int, 1>(), c);
}

template <class Number>
void norm_gradient(const Number* dz, const Number* x, NormGradient norm, int rows, int channels, Number* dx) {
    for (int row = 0; row < rows; row++, dz += channels, x += channels, dx += channels)
        for (int c = 0; c < channels; c += LANES)
            store(dx + c, load(norm.of_dz + c) * load(dz + c) + (load(norm.of_x + c) * load(x + c) +
                                                                load(norm.constant + c)));
}

template <class Number>
void add_norm_gradient(const Number* dz, const Number* x, NormGradient norm, int rows, int channels, float* dx) {
    for (int row = 0; row < rows; row++, dz += channels, x += channels, dx += channels)
        for (int c = 0; c < channels; c += LANES)
            store(dx + c, load(dx + c) + load(norm.of_dz + c) * load(dz + c) +
                              (load(norm.of_x + c) * load(x + c) + load(norm.constant + c)));
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
        convert<float, Number>,
        convert<Number, float>,
        moments<float>,
        moments<Number>,
        gate<float, Number>,
        gate<Number, Number>,
        gate_gradient<float, Number>,
        gate_gradient<Number, Number>,
        norm_gradient<Number>,
        add_norm_gradient<Number>,
    };
}

}  // namespace
