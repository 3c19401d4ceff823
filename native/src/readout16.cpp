// What operators say, with the sums over their places and SiLU in sixteen bits: twice as many at a time as floats.
#include "readout16.h"

#include <array>
#include <cmath>

#include "lanes_bfloat16.h"
#include "tiles.h"

namespace {

constexpr int HALVES = 2 * LANES;  // numbers of sixteen bits in a vector
constexpr int REACH = 8;           // SiLU is max(x, 0) from there on, and linear before in each segment
constexpr int SEGMENTS = 64;
constexpr float LEAST_BITS = 3, MOST_BITS = 10;  // behind the point; with fewer segments could not be told apart
// Of one weight, and of all: times 2^15 those stay below 2^31.
constexpr float MOST_WEIGHT = 32767, MOST_WEIGHTS = 65000, SMALLEST = 1e-30f;
constexpr int TOGETHER = 64;  // operators

// SiLU less max(x, 0) in each segment: constant + slope |x|, in steps of 2^-15.
struct Segments {
    std::array<int16_t, SEGMENTS> constant, slope;

    Segments() {
        const auto exact = [](double x) { return -x / (1 + std::exp(x)); };
        const double width = 1. * REACH / SEGMENTS;
        for (int i = 0; i < SEGMENTS; i++) {
            const double low = i * width, high = low + width, at_high = i + 1 < SEGMENTS ? exact(high) : 0.;
            const double rise = (at_high - exact(low)) / width, chord = exact(low) + rise * width / 2;
            // in the middle the chord is off by most, and so half of that is taken away
            const double level = i + 1 < SEGMENTS ? (chord + exact(low + width / 2)) / 2 : chord;
            slope[i] = static_cast<int16_t>(std::lrint(rise * 32768));
            constant[i] = static_cast<int16_t>(std::lrint((level - rise * (low + width / 2)) * 32768));
        }
    }
};

// What the hidden channels sum and weigh, in whole numbers of sixteen bits. Each channel has a step of its own,
// 2^-bits.
struct Halves {
    // [places, hidden_width], and of [hidden_width]: where sums begin, what SiLU of them is weighed by, a one in steps,
    // the most that is looked up, and what is left of a number that has been looked up
    int16_t *parts, *begin, *output, *unit, *most, *shift;
};

// SiLU of a vector of channels.
struct Silu16 {
    __m512i constant[2], slope[2];

    Silu16() {
        static const Segments segments;
        for (int i = 0; i < 2; i++) {
            constant[i] = _mm512_loadu_si512(&segments.constant[i * HALVES]);
            slope[i] = _mm512_loadu_si512(&segments.slope[i * HALVES]);
        }
    }

    INLINE __m512i operator()(__m512i x, __m512i unit, __m512i most, __m512i shift) const {
        const __m512i size = _mm512_min_epu16(_mm512_abs_epi16(x), most), at = _mm512_srlv_epi16(size, shift);
        const __m512i constants = _mm512_permutex2var_epi16(constant[0], at, constant[1]);
        const __m512i slopes = _mm512_permutex2var_epi16(slope[0], at, slope[1]);
        const __m512i below = _mm512_add_epi16(_mm512_mulhrs_epi16(constants, unit), _mm512_mulhrs_epi16(slopes, size));
        return _mm512_add_epi16(_mm512_max_epi16(x, _mm512_setzero_si512()), below);
    }
};

// What V vectors of the hidden channels, whose constants stay in registers, add to what operators of as many places
// say.
template <int V>
void weigh_columns(const Readout<Bfloat16>& of, const Halves& halves, const Silu16& table, int first, int last,
                   int column, __m512i* said) {
    const Silu16 silu = table;
    __m512i begin[V], output[V], unit[V], most[V], shift[V];
    const auto take = [&](__m512i* to, const int16_t* from) {
        for (int v = 0; v < V; v++) to[v] = _mm512_loadu_si512(from + column + v * HALVES);
    };
    take(begin, halves.begin), take(output, halves.output), take(unit, halves.unit);
    take(most, halves.most), take(shift, halves.shift);
    for (int o = first; o < last; o++) {
        __m512i sum[V], along = said[o - first];
        each<V>([&](auto v) INLINE { sum[v] = begin[v]; });
        for (int i = of.start[o]; i < of.start[o + 1]; i++) {
            const int16_t* part = halves.parts + static_cast<ptrdiff_t>(of.place[i]) * of.hidden_width + column;
            each<V>([&](auto v) INLINE { sum[v] = _mm512_add_epi16(sum[v], _mm512_loadu_si512(part + v * HALVES)); });
        }
        each<V>([&](auto v) INLINE {
            along = _mm512_dpwssd_epi32(along, silu(sum[v], unit[v], most[v], shift[v]), output[v]);
        });
        said[o - first] = along;
    }
}

inline Vec size_of(Vec x) { return most(x, -x); }

// What two vectors of channels have, by `from` of the first of each, as whole numbers.
template <class From>
INLINE inline void to_halves(int width, From from, int16_t* y) {
    for (int c = 0; c < width; c += HALVES)
        _mm512_storeu_si512(y + c, _mm512_packs_epi32(_mm512_cvtps_epi32(reinterpret_cast<__m512>(from(c))),
                                                      _mm512_cvtps_epi32(reinterpret_cast<__m512>(from(c + LANES)))));
}

inline bool finite(float x) {
    uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return (bits >> 23 & 255) < 255;
}

}  // namespace

namespace cascade {

// Sums begin at the bias and at the mean of all places for each of theirs, so that they and their steps are small. What
// is too large for that, or no number, is read out in floats.
void read_out_halves(const Readout<Bfloat16>& of, const float* x, int shots, Bfloat16* rows, float* parts,
                     int16_t* halves, float* logits) {
    const int width = of.hidden_width, places = of.places;
    if (width % HALVES || !finite(of.share)) return read_out(of, x, shots, rows, parts, logits);
    const auto row = [&](auto* from, int number) { return from + static_cast<ptrdiff_t>(number) * width; };
    float *mean = row(parts, places), *unit = row(parts, places + 1);
    std::fill_n(mean, width, 0.f);
    gather(of, x, shots, rows);
    product(rows, places, of.width, of.hidden, mean, width, false, parts);

    Vec fewest_bits = all(MOST_BITS), weight{}, largest{}, numbers{};
    for (int c = 0; c < width; c += LANES) {
        Vec sum{}, off{};
        for (int i = 0; i < places; i++) sum += load(row(parts, i) + c);
        sum *= of.share / places;
        for (int i = 0; i < places; i++) {
            const Vec part = of.share * load(row(parts, i) + c) - sum;
            off = most(off, size_of(part));
            store(row(parts, i) + c, part);
        }
        const Vec bias = load(of.bias + c);
        const float fewest = of.fewest, places_at_most = of.most;  // as vectors take it
        // as far as a sum gets, and more than it is rounded by
        const Vec farthest =
            (1 + (places_at_most + 1) / (1 << 14)) *
            (places_at_most * off + most(size_of(bias + fewest * sum), size_of(bias + places_at_most * sum)));
        const Vec bits =
            least(14.f - reinterpret_cast<Vec>(_mm512_getexp_ps(reinterpret_cast<__m512>(farthest))), all(MOST_BITS));
        const Vec ones = reinterpret_cast<Vec>(_mm512_scalef_ps(_mm512_set1_ps(1), reinterpret_cast<__m512>(bits)));
        fewest_bits = least(fewest_bits, bits);
        const Vec output = size_of(load(of.output + c)) / ones;
        weight += output, largest = most(largest, output), numbers += bias + sum;
        store(mean + c, sum), store(unit + c, ones);
    }
    const float heaviest = _mm512_reduce_max_ps(reinterpret_cast<__m512>(largest));
    if (!finite(total(numbers)) || !finite(total(weight)) || heaviest < SMALLEST ||
        _mm512_reduce_min_ps(reinterpret_cast<__m512>(fewest_bits)) < LEAST_BITS)
        return read_out(of, x, shots, rows, parts, logits);

    const float scale = std::min(MOST_WEIGHT / heaviest, MOST_WEIGHTS / total(weight));
    const Halves to{halves,
                    row(halves, places),
                    row(halves, places + 1),
                    row(halves, places + 2),
                    row(halves, places + 3),
                    row(halves, places + 4)};
    for (int i = 0; i < places; i++)
        to_halves(width, [&](int c) { return load(row(parts, i) + c) * load(unit + c); }, row(to.parts, i));
    to_halves(width, [&](int c) { return load(of.output + c) / load(unit + c) * scale; }, to.output);
    to_halves(width, [&](int c) { return load(unit + c); }, to.unit);
    to_halves(width, [&](int c) { return load(unit + c) * REACH - 1.f; }, to.most);
    to_halves(
        width,
        [&](int c) {
            return reinterpret_cast<Vec>(
                _mm512_getexp_ps(reinterpret_cast<__m512>(load(unit + c) * (1.f * REACH / SEGMENTS))));
        },
        to.shift);
    const Silu16 silu;
    __m512i said[TOGETHER];
    const auto places_of = [&](int o) { return of.start[o + 1] - of.start[o]; };
    for (int first = 0, last, weighs = -1; first < of.operators; first = last) {
        if (weighs != places_of(first)) {
            weighs = places_of(first);
            const float count = weighs;
            to_halves(
                width, [&](int c) { return (load(of.bias + c) + count * load(mean + c)) * load(unit + c); }, to.begin);
        }
        for (last = first; last < std::min(of.operators, first + TOGETHER) && places_of(last) == weighs; last++)
            said[last - first] = _mm512_setzero_si512();
        int column = 0;
        for (; column + 2 * HALVES <= width; column += 2 * HALVES)
            weigh_columns<2>(of, to, silu, first, last, column, said);
        if (column < width) weigh_columns<1>(of, to, silu, first, last, column, said);
        for (int o = first; o < last; o++)
            logits[o] = static_cast<float>(_mm512_reduce_add_epi32(said[o - first])) * (1 / scale);
    }
}

}  // namespace cascade
