// Compiled once for each instruction set, CASCADE_SET, and linked side by side.
#include "kernels.h"

#include "lanes.h"

namespace {

using cascade::After;
using cascade::Group;
using cascade::Norm;
using cascade::Pairs;

#define INLINE __attribute__((always_inline))

template <int... I, class Body>
INLINE inline void each(std::integer_sequence<int, I...>, Body body) {
    (body(std::integral_constant<int, I>()), ...);
}

// Calls `body` with 0..N-1, each known when it is compiled: what it indexes can stay in registers.
template <int N, class Body>
INLINE inline void each(Body body) {
    each(std::make_integer_sequence<int, N>(), body);
}

// A tile of a product: T rows of y by V vectors, which stay in registers while everything that they sum is read.
template <int T, int V>
struct Tile {
    Vec sum[T][V];

    INLINE void start(const float* bias) {
        each<T>([&](auto t)
                    INLINE { each<V>([&](auto v) INLINE { sum[t][v] = bias ? load(bias + v * LANES) : Vec{}; }); });
    }

    INLINE void start(float* const* y, int column) {
        each<T>([&](auto t) INLINE { each<V>([&](auto v) INLINE { sum[t][v] = load(y[t] + column + v * LANES); }); });
    }

    INLINE void add(const float* const* x, int inner, const float* w, int outer) {
        if constexpr (HELD > 0) {
            // The weights of some inputs stay in registers, and few rows at a time need their addresses there.
            for (int k = 0; k < inner; k += HELD, w += static_cast<ptrdiff_t>(HELD) * outer) {
                Vec held[HELD];
                each<HELD>([&](auto i) INLINE { held[i] = load(w + static_cast<ptrdiff_t>(i) * outer); });
                each<(T + 3) / 4>([&](auto four) INLINE {
                    each<HELD>([&](auto i) INLINE {
                        each<std::min(4, T - 4 * four)>([&](auto t) INLINE {
                            sum[4 * four + t][0] += x[4 * four + t][k + i] * held[i];
                        });
                    });
                });
            }
            return;
        }
        for (int k = 0; k < inner; k++, w += outer) {
            Vec row[V];
            each<V>([&](auto v) INLINE { row[v] = load(w + v * LANES); });
            each<T>([&](auto t) INLINE {
                const float one = x[t][k];
                each<V>([&](auto v) INLINE { sum[t][v] += one * row[v]; });
            });
        }
    }

    INLINE void end(float* const* y, int column, bool activate) {
        each<T>([&](auto t) INLINE {
            each<V>([&](auto v) INLINE { store(y[t] + column + v * LANES, activate ? silu(sum[t][v]) : sum[t][v]); });
        });
    }
};

// Calls `body` with the number of vectors of each part of the columns.
template <class Body>
INLINE inline void columns(int outer, Body body) {
    int column = 0;
    for (; !HELD && column + 2 * LANES <= outer; column += 2 * LANES) body(std::integral_constant<int, 2>(), column);
    for (; column < outer; column += LANES) body(std::integral_constant<int, 1>(), column);
}

// Calls `body` with a number of rows that is known when it is compiled.
template <int T = ROWS, class Body>
inline void of_rows(int count, Body body) {
    if (count == T)
        body(std::integral_constant<int, T>());
    else if constexpr (T > 1)
        of_rows<T - 1>(count, body);
}

template <int T>
inline void product_rows(const float* const* x, int inner, const float* w, const float* bias, int outer, bool activate,
                         float* const* y) {
    columns(outer, [&](auto v, int column) INLINE {
        Tile<T, v> tile;
        if (bias)
            tile.start(bias + column);
        else
            tile.start(y, column);
        tile.add(x, inner, w + column, outer);
        tile.end(y, column, activate);
    });
}

inline void gate_row(const float* x, const float* scale, const float* shift, int channels, float* y) {
    for (int c = 0; c < channels; c += LANES) store(y + c, silu(load(scale + c) * load(x + c) + load(shift + c)));
}

template <int T>
void behind(const After& after, float* const* z, int channels, const ptrdiff_t* row) {
    float *stream[T], *gated[T];
    for (int t = 0; t < T; t++) {
        stream[t] = after.stream + row[t] * after.width;
        gated[t] = after.scratch + static_cast<ptrdiff_t>(t) * after.width;
    }
    product_rows<T>(z, channels, after.up, nullptr, after.width, false, stream);
    if (!after.down) return;
    for (int t = 0; t < T; t++) gate_row(stream[t], after.scale, after.shift, after.width, gated[t]);
    product_rows<T>(gated, after.width, after.down, after.bias, channels, true, z);
}

// T rows: sites of a group with one shot, or one site with shots that follow one another.
template <int T>
void convolve_rows(const Group& group, int first_site, int site_step, int shot, int shots, const float* x, int inner,
                   const float* w, const float* bias, int outer, bool activate, float* y, const After* after) {
    ptrdiff_t row[T];
    float* out[T];
    for (int t = 0; t < T; t++) {
        const int site = first_site + t * site_step, of_shot = shot + t * (1 - site_step);
        row[t] = static_cast<ptrdiff_t>(group.site[site]) * shots + of_shot;
        out[t] = y + row[t] * outer;
    }
    columns(outer, [&](auto v, int column) INLINE {
        Tile<T, v> tile;
        tile.start(bias ? bias + column : nullptr);
        const int32_t* read = group.read + first_site;
        for (int r = 0; r < group.relations; r++, read += group.sites) {
            const float* from[T];
            for (int t = 0; t < T; t++)
                from[t] =
                    x + (static_cast<ptrdiff_t>(read[t * site_step]) * shots + shot + t * (1 - site_step)) * inner;
            tile.add(from, inner, w + static_cast<ptrdiff_t>(group.block[r]) * inner * outer + column, outer);
        }
        tile.end(out, column, activate);
    });
    if (after) behind<T>(*after, out, outer, row);
}

void convolve(const Group* groups, int count, int shots, const float* x, int inner, const float* w, const float* bias,
              int outer, bool activate, float* y, const After* after) {
    for (const Group* group = groups; group < groups + count; group++) {
        if (group->sites == 1) {
            for (int shot = 0; shot < shots; shot += ROWS)
                of_rows(shots - shot < ROWS ? shots - shot : ROWS, [&](auto t) {
                    convolve_rows<t>(*group, 0, 0, shot, shots, x, inner, w, bias, outer, activate, y, after);
                });
            continue;
        }
        for (int shot = 0; shot < shots; shot++)
            for (int site = 0; site < group->sites; site += ROWS)
                of_rows(group->sites - site < ROWS ? group->sites - site : ROWS, [&](auto t) {
                    convolve_rows<t>(*group, site, 1, shot, shots, x, inner, w, bias, outer, activate, y, after);
                });
    }
}

void product(const float* x, int rows, int inner, const float* w, const float* bias, int outer, bool activate,
             float* y) {
    for (int row = 0; row < rows; row += ROWS)
        of_rows(rows - row < ROWS ? rows - row : ROWS, [&](auto t) {
            const float* read[t];
            float* out[t];
            for (int i = 0; i < t; i++) {
                read[i] = x + static_cast<ptrdiff_t>(row + i) * inner;
                out[i] = y + static_cast<ptrdiff_t>(row + i) * outer;
            }
            product_rows<t>(read, inner, w, bias, outer, activate, out);
        });
}

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

void gate(const float* x, const float* scale, const float* shift, int rows, int channels, float* y) {
    for (int row = 0; row < rows; row++, x += channels, y += channels) gate_row(x, scale, shift, channels, y);
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

}  // namespace

namespace cascade {

#define CASCADE_TEXT(set) #set
#define CASCADE_NAME(set) CASCADE_TEXT(set)

extern const Kernels CASCADE_SET = {
    CASCADE_NAME(CASCADE_SET),
    LANES,
    ROWS,
    convolve,
    product,
    outer_product,
    moments,
    gate_gradient,
    norm_gradient,
    gate,
};

}  // namespace cascade
