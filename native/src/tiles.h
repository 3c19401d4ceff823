// Products in tiles that stay in registers, of floats or with operands in bfloat16: what decoding takes most of its
// time for.
#pragma once

#include "kernels.h"
#include "lanes.h"

namespace {

using cascade::After;
using cascade::Byte;
using cascade::Decoding;
using cascade::Group;
using cascade::INPUTS;
using cascade::Readout;

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

    template <class Number>
    INLINE void add(const Number* const* x, int inner, const Number* w, int outer) {
        constexpr int ONCE = INPUTS<Number>;
        const ptrdiff_t step = static_cast<ptrdiff_t>(ONCE) * outer;
        if constexpr (HELD > 0) {
            // The weights of some inputs stay in registers, and few rows at a time need their addresses there.
            for (int k = 0; k < inner; k += HELD, w += HELD / ONCE * step) {
                Vec held[HELD / ONCE];
                each<HELD / ONCE>([&](auto i) INLINE { held[i] = load_weights(w + i * step); });
                each<(T + 3) / 4>([&](auto four) INLINE {
                    each<HELD / ONCE>([&](auto i) INLINE {
                        each<std::min(4, T - 4 * four)>([&](auto t) INLINE {
                            multiply_add(sum[4 * four + t][0], x[4 * four + t] + k + i * ONCE, held[i]);
                        });
                    });
                });
            }
            return;
        }
        for (int k = 0; k < inner; k += ONCE, w += step) {
            Vec row[V];
            each<V>([&](auto v) INLINE { row[v] = load_weights(w + v * LANES * ONCE); });
            each<T>([&](auto t) INLINE { each<V>([&](auto v) INLINE { multiply_add(sum[t][v], x[t] + k, row[v]); }); });
        }
    }

    // SiLU is as exact as `Exact`.
    template <class Exact, class Out>
    INLINE void gate(const float* scale, const float* shift, Out* const* y, int column) {
        each<V>([&](auto v) INLINE {
            const Vec times = load(scale + v * LANES), plus = load(shift + v * LANES);
            each<T>([&](auto t) INLINE { store(y[t] + column + v * LANES, silu_to<Exact>(times * sum[t][v] + plus)); });
        });
    }

    template <class Exact, class Out>
    INLINE void end(Out* const* y, int column, bool activate) {
        each<T>([&](auto t) INLINE {
            each<V>([&](auto v)
                        INLINE { store(y[t] + column + v * LANES, activate ? silu_to<Exact>(sum[t][v]) : sum[t][v]); });
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

template <int T, class Number, class Out, class Exact = Out>
inline void product_rows(const Number* const* x, int inner, const Number* w, const float* bias, int outer,
                         bool activate, Out* const* y) {
    columns(outer, [&](auto v, int column) INLINE {
        Tile<T, v> tile;
        if constexpr (std::is_same_v<Out, float>) {
            if (!bias)
                tile.start(y, column);
            else
                tile.start(bias + column);
        } else {
            tile.start(bias + column);
        }
        tile.add(x, inner, w + column * INPUTS<Number>, outer);
        tile.template end<Exact>(y, column, activate);
    });
}

template <class In, class Out>
inline void gate_row(const In* x, const float* scale, const float* shift, int channels, Out* y) {
    for (int c = 0; c < channels; c += LANES)
        store(y + c, silu_to<Out>(load(scale + c) * load(x + c) + load(shift + c)));
}

// Not in line: it would be compiled anew for each kind of tile before it.
template <int T, class Exact, class Number>
__attribute__((noinline)) void behind(const After<Number>& after, const Number* const* z, int channels,
                                      const ptrdiff_t* row, Number* const* y) {
    float* stream[T];
    Number* gated[T];
    for (int t = 0; t < T; t++) {
        stream[t] = after.stream + row[t] * after.width;
        gated[t] = after.scratch + static_cast<ptrdiff_t>(t) * after.width;
    }
    columns(after.width, [&](auto v, int column) INLINE {
        Tile<T, v> tile;
        tile.start(stream, column);
        tile.add(z, channels, after.up + column * INPUTS<Number>, after.width);
        tile.template end<float>(stream, column, false);
        if (after.down) tile.template gate<Exact>(after.scale + column, after.shift + column, gated, column);
    });
    if (after.down)
        product_rows<T, Number, Number, Exact>(gated, after.width, after.down, after.bias, channels, true, y);
}

template <class Number>
void behind_rows(const int32_t* rows, int count, const Number* z, int channels, Number* y, const After<Number>* after) {
    for (int first = 0; first < count; first += ROWS)
        of_rows(count - first < ROWS ? count - first : ROWS, [&](auto t) {
            const Number* read[t];
            Number* out[t];
            ptrdiff_t row[t];
            for (int i = 0; i < t; i++) {
                row[i] = rows[first + i];
                read[i] = z + static_cast<ptrdiff_t>(first + i) * channels, out[i] = y + row[i] * channels;
            }
            behind<t, Number>(*after, read, channels, row, out);
        });
}

// Rows of a tile: the number of each one's site in the group, and its shot.
struct Rows {
    int count = 0;
    int32_t index[ROWS], shot[ROWS];

    // Whether they are sites of one shot that follow one another, or shots of one site.
    bool follow(bool one) const {
        for (int t = 1; t < count; t++)
            if (index[t] - index[0] != (one ? 0 : t) || shot[t] - shot[0] != (one ? t : 0)) return false;
        return true;
    }
};

// Where the rows of a tile lie: what is known when it is compiled need not be looked up.
struct Scattered {
    const Rows& rows;
    int index(int t) const { return rows.index[t]; }
    int shot(int t) const { return rows.shot[t]; }
};

struct OneSite {
    const Rows& rows;
    int index(int) const { return 0; }
    int shot(int t) const { return rows.shot[t]; }
};

struct OneSiteInTurn {
    int first;
    int index(int) const { return 0; }
    int shot(int t) const { return first + t; }
};

struct OneShotInTurn {
    int first, of;
    int index(int t) const { return first + t; }
    int shot(int) const { return of; }
};

// All of SQUARE shots of sites in turn.
constexpr int SQUARE = 4;
struct AllShots {
    int first;
    int index(int t) const { return first + t / SQUARE; }
    int shot(int t) const { return t % SQUARE; }
};

// T rows. C channels come in and out, if it is not 0.
template <int T, int C, class Where, class Number, class Out>
void convolve_rows(const Group& group, Where where, int shots, const Number* x, int inner, const Number* w,
                   const float* scale, const float* bias, int outer, bool activate, Out* y, const After<Out>* after) {
    constexpr bool BYTES = std::is_same_v<Number, Byte>;
    using Exact = std::conditional_t<BYTES, Byte, Out>;
    if constexpr (C > 0) inner = outer = C;
    if constexpr (std::is_same_v<Where, AllShots>) shots = SQUARE;
    const auto row_of = [&](const int32_t* sites, int t)
                            INLINE { return static_cast<ptrdiff_t>(sites[where.index(t)]) * shots + where.shot(t); };
    ptrdiff_t row[T];
    Out* out[T];
    for (int t = 0; t < T; t++) row[t] = row_of(group.site, t), out[t] = y + row[t] * outer;
    for (int t = 0; after && t < T; t++)
        for (int c = 0; c < after->width; c += 16) __builtin_prefetch(after->stream + row[t] * after->width + c, 1);
    columns(outer, [&](auto v, int column) INLINE {
        Tile<T, v> tile;
        tile.start(bias && !BYTES ? bias + column : nullptr);
        const int32_t* read = group.read;
        for (int r = 0; r < group.relations; r++, read += group.sites) {
            const Number* from[T];
            each<T>([&](auto t) INLINE { from[t] = x + row_of(read, t) * inner; });
            tile.add(from, inner, w + static_cast<ptrdiff_t>(group.block[r]) * inner * outer + column * INPUTS<Number>,
                     outer);
        }
        if constexpr (BYTES) {
            const Vec times = load(scale + column);
            each<T>([&](auto t) INLINE {
                const float* plus = bias + static_cast<ptrdiff_t>(group.site[where.index(t)]) * outer;
                tile.sum[t][0] = whole(tile.sum[t][0]) * times + load(plus + column);
            });
        }
        tile.template end<Exact>(out, column, activate);
    });
    if constexpr (std::is_same_v<Out, Number> || (BYTES && !std::is_same_v<Out, float>))
        if (after) behind<T, Exact>(*after, out, outer, row, out);
}

// The shots of a group of one site, from one on.
template <int C = 0, class Number, class Out>
void convolve_site(const Group& group, int first, int shots, const Number* x, int inner, const Number* w,
                   const float* scale, const float* bias, int outer, bool activate, Out* y, const After<Out>* after) {
    for (; first < shots; first += ROWS)
        of_rows(std::min(shots - first, ROWS), [&](auto t) {
            convolve_rows<t, C>(group, OneSiteInTurn{first}, shots, x, inner, w, scale, bias, outer, activate, y,
                                after);
        });
}

template <int C = 0, class Number, class Out>
void convolve(const Group* groups, int count, int shots, const uint32_t* wanted, const Number* x, int inner,
              const Number* w, const float* scale, const float* bias, int outer, bool activate, Out* y,
              const After<Out>* after) {
    constexpr int SITES = ROWS % SQUARE ? 0 : ROWS / SQUARE;  // of a tile with all shots
    for (const Group* group = groups; group < groups + count; group++) {
        const bool one = group->sites == 1;
        if (one && !wanted) {
            convolve_site<C>(*group, 0, shots, x, inner, w, scale, bias, outer, activate, y, after);
            continue;
        }
        Rows rows;
        const auto tile = [&] {
            const auto with = [&](auto where) {
                of_rows(rows.count, [&](auto t) {
                    convolve_rows<t, C>(*group, where, shots, x, inner, w, scale, bias, outer, activate, y, after);
                });
            };
            if (rows.follow(one))
                one ? with(OneSiteInTurn{rows.shot[0]}) : with(OneShotInTurn{rows.index[0], rows.shot[0]});
            else if constexpr (!std::is_same_v<Out, float> || std::is_same_v<Number, float>)
                one ? with(OneSite{rows}) : with(Scattered{rows});
            rows.count = 0;
        };
        const auto add = [&](int index, int shot) {
            rows.index[rows.count] = index, rows.shot[rows.count] = shot;
            if (++rows.count == ROWS) tile();
        };
        int start = 0;
        if constexpr (SITES > 1)
            for (; shots == SQUARE && start + SITES <= group->sites; start += SITES) {
                uint32_t all = (1 << SQUARE) - 1;
                for (int i = start; wanted && i < start + SITES; i++) all &= wanted[group->site[i]];
                if (all == (1 << SQUARE) - 1) {
                    const AllShots where{start};
                    inner == LANES&& outer == LANES ? convolve_rows<ROWS, LANES>(*group, where, shots, x, inner, w,
                                                                                 scale, bias, outer, activate, y, after)
                                                    : convolve_rows<ROWS, 0>(*group, where, shots, x, inner, w, scale,
                                                                             bias, outer, activate, y, after);
                    continue;
                }
                for (int i = start; i < start + SITES; i++)
                    for (int shot = 0; shot < shots; shot++)
                        if (wanted[group->site[i]] >> shot & 1) add(i, shot);
            }
        // One shot after the other, so that rows of a tile follow one another where all are wanted.
        for (int shot = 0; shot < shots; shot++) {
            for (int i = start; i < group->sites; i++)
                if (!wanted || wanted[group->site[i]] >> shot & 1) add(i, shot);
            if (rows.count && !wanted) tile();
        }
        if (rows.count) tile();
    }
}

template <class Number, class Out>
void product(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, bool activate,
             Out* y) {
    for (int row = 0; row < rows; row += ROWS)
        of_rows(rows - row < ROWS ? rows - row : ROWS, [&](auto t) {
            const Number* read[t];
            Out* out[t];
            for (int i = 0; i < t; i++) {
                read[i] = x + static_cast<ptrdiff_t>(row + i) * inner;
                out[i] = y + static_cast<ptrdiff_t>(row + i) * outer;
            }
            product_rows<t>(read, inner, w, bias, outer, activate, out);
        });
}

template <class Number>
void convolve_trunk(const Group* groups, int count, int shots, const uint32_t* wanted, const Number* x, int channels,
                    const Number* w, const float* bias, Number* y, const After<Number>* after) {
    convolve(groups, count, shots, wanted, x, channels, w, nullptr, bias, channels, true, y, after);
}

template <class Number>
void convolve_head(const Group* groups, int count, int shots, const Number* x, int width, const Number* w, float* y) {
    convolve<0, Number, float>(groups, count, shots, nullptr, x, width, w, nullptr, nullptr, width, false, y, nullptr);
}

template <class In, class Out>
void gate(const In* x, const float* scale, const float* shift, int rows, int channels, Out* y) {
    for (int row = 0; row < rows; row++, x += channels, y += channels) gate_row(x, scale, shift, channels, y);
}

// `Exact` are the numbers that SiLU is as exact as.
template <class Exact, class Number>
void sum_gated(const float* x, const float* scale, const float* shift, const int32_t* sites, int own, bool entering,
               int shots, int width, Number* all, Number* later) {
    const size_t size = static_cast<size_t>(shots) * width;
    for (size_t row = 0; row < size; row += width)
        for (int c = 0; c < width; c += LANES) {
            const Vec times = load(scale + c), plus = load(shift + c);
            const float* from = x + row + c;
            const auto gated = [&](int i) { return silu_to<Exact>(times * load(from + sites[i] * size) + plus); };
            Vec sum{};
            for (int i = 1; i < own; i++) sum += gated(i);
            store(all + row + c, sum + gated(0));
            store(later + row + c, entering ? sum + gated(own) : sum);
        }
}

// What V vectors of the hidden channels add to each operator's logit.
template <int V, class Number>
void read_columns(const Readout<Number>& of, const Number* rows, int column, float* parts, float* logits) {
    constexpr int WIDE = V * LANES;
    for (int first = 0; first < of.places; first += ROWS)
        of_rows(std::min(of.places - first, ROWS), [&](auto t) {
            const Number* x[t];
            float* y[t];
            for (int i = 0; i < t; i++)
                x[i] = rows + static_cast<ptrdiff_t>(first + i) * of.width, y[i] = parts + (first + i) * WIDE;
            columns(WIDE, [&](auto v, int at) INLINE {
                Tile<t, v> tile;
                tile.start(nullptr);
                tile.add(x, of.width, of.hidden + (column + at) * INPUTS<Number>, of.hidden_width);
                tile.template end<float>(y, at, false);
            });
        });
    for (int o = 0; o < of.operators; o++) {
        Vec sum[V] = {}, along{};
        for (int i = of.start[o]; i < of.start[o + 1]; i++)
            each<V>([&](auto v) INLINE { sum[v] += load(parts + of.place[i] * WIDE + v * LANES); });
        each<V>([&](auto v) INLINE {
            const int at = column + v * LANES;
            along += silu_to<Number>(of.share * sum[v] + load(of.bias + at)) * load(of.output + at);
        });
        logits[o] += total(along);
    }
}

// The features of one shot.
template <class Number>
void gather(const Readout<Number>& of, const float* x, int shots, Number* rows) {
    for (int place = 0; place < of.places; place++)
        for (int c = 0; c < of.width; c += LANES)
            store(rows + place * of.width + c, load(x + static_cast<ptrdiff_t>(place) * shots * of.width + c));
}

template <class Number>
void read_out(const Readout<Number>& of, const float* x, int shots, Number* rows, float* parts, float* logits) {
    gather(of, x, shots, rows);
    std::fill_n(logits, of.operators, 0.f);
    int column = 0;
    for (; column + 4 * LANES <= of.hidden_width; column += 4 * LANES) read_columns<4>(of, rows, column, parts, logits);
    for (; column < of.hidden_width; column += LANES) read_columns<1>(of, rows, column, parts, logits);
}

template <class Number>
constexpr Decoding<Number> decoding() {
    return {
        ROWS,
        convolve_trunk<Number>,
        behind_rows<Number>,
        convolve_head<Number>,
        product<Number, float>,
        product<Number, Number>,
        gate<float, Number>,
        sum_gated<Number, Number>,
        read_out<Number>,
    };
}

}  // namespace
