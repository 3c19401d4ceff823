#include "ordered_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "columns.h"
#include "shots.h"

namespace cascade {

namespace {

using Words = std::vector<uint64_t>;

constexpr int BITS = 64;
constexpr int LANES = 4;         // words that are added at a time: rows are padded to multiples of them
constexpr int PAIRED = 40;       // free columns of which pairs are tried, those that cost least alone
constexpr double FARTHEST = 40;  // the largest gap: other answers may need components that were left out
constexpr int MOST = 1 << 30;    // of rows, of observables, and of ones in all columns

typedef uint64_t Lane __attribute__((vector_size(8 * LANES)));

int words_of(int bits) { return (bits + BITS - 1) / BITS; }

uint64_t bit(int i) { return uint64_t{1} << (i % BITS); }

bool has(const uint64_t* bits, int i) { return (bits[i / BITS] >> (i % BITS)) & 1; }

// Calls `body` with every one among these words, ascending.
template <class Body>
inline void each_one(const uint64_t* bits, int words, Body body) {
    for (int w = 0; w < words; w++)
        for (uint64_t rest = bits[w]; rest; rest &= rest - 1) body(w * BITS + __builtin_ctzll(rest));
}

// to ^= from, from a word on. The words before it, in the same lane, are zero in `from`.
inline void add(uint64_t* to, const uint64_t* from, int word, int words) {
    for (int w = word / LANES * LANES; w < words; w += LANES) {
        Lane a, b;
        std::memcpy(&a, to + w, sizeof a);
        std::memcpy(&b, from + w, sizeof b);
        a ^= b;
        std::memcpy(to + w, &a, sizeof a);
    }
}

// A number that is the smaller the larger the log-odds are; what is no number comes last.
uint32_t rank(float log_odds) {
    if (!(log_odds == log_odds)) return ~uint32_t{0};
    log_odds += 0.f;  // -0 as 0
    uint32_t pattern;
    std::memcpy(&pattern, &log_odds, sizeof pattern);
    return pattern >> 31 ? pattern : ~pattern & 0x7fffffffu;
}

// Bit j of word i becomes bit i of word j.
void transpose(uint64_t* block) {
    uint64_t mask = 0x00000000ffffffffu;
    for (int step = 32; step; step /= 2, mask ^= mask << step)
        for (int base = 0; base < BITS; base += 2 * step)
            for (int i = base; i < base + step; i++) {
                const uint64_t swapped = ((block[i] >> step) ^ block[i + step]) & mask;
                block[i] ^= swapped << step;
                block[i + step] ^= swapped;
            }
}

}  // namespace

// Kept from shot to shot, so that memory is taken seldom.
struct OrderedStatistics::Space {
    Words keys;                    // of the components: rank and index
    std::vector<int32_t> likely;   // [columns]: components, likeliest first
    std::vector<double> cost;      // [columns]
    std::vector<int32_t> place;    // [rows of the experiment]: where a row is among those of the system, or -1
    std::vector<int32_t> touched;  // the reverse: rows in the order of the first column that they have
    int columns = 0, words = 0;    // words of a row, of which one bit is the right side, behind the columns
    Words matrix;                  // [touched, words]
    std::vector<int32_t> owner;    // [columns]: the row that is solved for a column, or -1
    Words owned;                   // [words]: the columns that are solved for
    std::vector<int32_t> solved;   // those, ascending
    std::vector<int32_t> other;    // the rest of the columns, ascending
    int height = 0;                // words of a column
    Words table;                   // [other, height]: which solved columns each of the others replaces
    Words right, save;             // [height]: solved columns that are chosen, and those that are cheaper left out
    Words taken;                   // others that are chosen
    std::vector<double> gain, alone, saved;
    std::vector<int32_t> tried;
    Words flips;
    Words changed;  // [other, flip words]: observables that an exchange flips

    uint64_t* solved_for(int column) { return matrix.data() + static_cast<size_t>(owner[column]) * words; }
};

OrderedStatistics::OrderedStatistics(const int64_t* start, size_t components, const int64_t* row, size_t entries,
                                     int64_t rows, const uint8_t* observables, size_t k, double least,
                                     const float* weights) {
    if (components >= MOST || entries >= MOST || k >= MOST || rows < 0 || rows >= MOST)
        throw std::invalid_argument("expected fewer components, rows and observables");
    if (!(least == least)) throw std::invalid_argument("expected log-odds as a number");
    check_columns(start, components, row, entries, rows);
    components_ = static_cast<int>(components), rows_ = static_cast<int>(rows), k_ = static_cast<int>(k);
    flip_words_ = words_of(k_);
    start_.assign(start, start + components + 1);
    row_.assign(row, row + entries);
    flips_.assign(components * flip_words_, 0);
    for (size_t c = 0; c < components; c++)
        for (size_t i = 0; i < k; i++)
            if (observables[c * k + i]) flips_[c * flip_words_ + i / BITS] |= bit(static_cast<int>(i % BITS));
    least_ = rounded_down(least);
    for (size_t c = 0; weights && c < components; c++) cost_.push_back(cost_of(weights[c]));
}

void OrderedStatistics::decode(const float* log_odds, const uint8_t* lit, size_t shots, bool* observables,
                               bool* suspects, float* gaps, double* costs, int threads) const {
    in_threads(shots, threads, [&](size_t first, size_t last) {
        Space space;
        for (size_t shot = first; shot < last; shot++)
            decode_one(space, log_odds + shot * components_, lit + shot * rows_, observables + shot * k_,
                       suspects + shot * k_, gaps ? gaps + shot : nullptr, costs + shot);
    });
}

void OrderedStatistics::decode_one(Space& space, const float* log_odds, const uint8_t* lit, bool* observables,
                                   bool* suspects, float* gap, double* cost) const {
    std::fill_n(observables, k_, false);
    std::fill_n(suspects, k_, false);
    if (gap) *gap = 0;
    *cost = 0;
    bool quiet = !gap && std::all_of(lit, lit + rows_, [](uint8_t one) { return !one; });
    for (int c = 0; quiet && c < components_; c++) quiet = !(log_odds[c] > 0);
    if (quiet) return;
    choose(space, log_odds, -1);
    *cost = std::numeric_limits<double>::infinity();
    while (!lay_out(space, lit) || !eliminate(space)) {
        if (space.columns == components_) return;  // no set explains this: nothing is said
        choose(space, log_odds, static_cast<int>(std::min<int64_t>(4 * int64_t{space.columns} + BITS, components_)));
    }
    substitute(space);
    turn(space);
    improve(space);

    space.flips.assign(flip_words_, 0);
    *cost = 0;
    const auto flip = [&](int column) {
        *cost += space.cost[column];
        const uint64_t* flips = flips_.data() + static_cast<size_t>(space.likely[column]) * flip_words_;
        for (int w = 0; w < flip_words_; w++) space.flips[w] ^= flips[w];
    };
    each_one(space.right.data(), space.height, [&](int i) { flip(space.solved[i]); });
    each_one(space.taken.data(), words_of(static_cast<int>(space.other.size())), [&](int i) { flip(space.other[i]); });
    for (int i = 0; i < k_; i++) observables[i] = has(space.flips.data(), i);
    if (gap) *gap = margin(space, suspects);
}

// The columns of a shot: so many of the likeliest components, or those that are likely enough if `most` is negative.
void OrderedStatistics::choose(Space& space, const float* log_odds, int most) const {
    space.keys.resize(components_);
    uint64_t* keys = space.keys.data();
    int count = 0;
    for (int c = 0; c < components_; c++) {
        keys[count] = static_cast<uint64_t>(c);
        count += most >= 0 || log_odds[c] > least_;
    }
    for (int i = 0; i < count; i++) keys[i] |= uint64_t{rank(log_odds[keys[i]])} << 32;
    if (most >= 0 && most < count) {
        std::nth_element(keys, keys + most, keys + count);
        count = most;
    }
    std::sort(keys, keys + count);
    space.columns = count;
    space.likely.resize(count);
    space.cost.resize(count);
    for (int i = 0; i < count; i++) {
        space.likely[i] = static_cast<int32_t>(keys[i] & 0xffffffffu);
        space.cost[i] = cost_.empty() ? cost_of(log_odds[space.likely[i]]) : cost_[space.likely[i]];
    }
}

// The matrix of the rows that the columns have; whether those are all that are lit.
bool OrderedStatistics::lay_out(Space& space, const uint8_t* lit) const {
    space.place.assign(rows_, -1);
    space.touched.clear();
    for (int component : space.likely)
        for (int i = start_[component]; i < start_[component + 1]; i++)
            if (space.place[row_[i]] < 0) {
                space.place[row_[i]] = static_cast<int32_t>(space.touched.size());
                space.touched.push_back(row_[i]);
            }
    for (int r = 0; r < rows_; r++)
        if (lit[r] && space.place[r] < 0) return false;

    space.words = (space.columns / BITS + LANES) / LANES * LANES;
    space.matrix.assign(space.touched.size() * space.words, 0);
    for (int column = 0; column < space.columns; column++) {
        const int component = space.likely[column];
        for (int i = start_[component]; i < start_[component + 1]; i++)
            space.matrix[static_cast<size_t>(space.place[row_[i]]) * space.words + column / BITS] |= bit(column);
    }
    for (size_t i = 0; i < space.touched.size(); i++)
        if (lit[space.touched[i]]) space.matrix[i * space.words + space.columns / BITS] |= bit(space.columns);
    return true;
}

// Adds rows to others until no two begin with the same column; false if that leaves a right side without a column.
// The columns that rows begin with are the first independent ones, whichever of the rows are added.
bool OrderedStatistics::eliminate(Space& space) {
    const int words = space.words;
    space.owner.assign(space.columns, -1);
    space.owned.assign(words, 0);
    // Rows that begin late come first: most then stay as sparse as they are.
    for (size_t i = space.touched.size(); i-- > 0;) {
        uint64_t* row = &space.matrix[i * words];
        for (int w = 0; w < words;) {
            if (!row[w]) {
                w++;
                continue;
            }
            const int column = w * BITS + __builtin_ctzll(row[w]);
            if (column == space.columns) return false;
            if (space.owner[column] < 0) {
                space.owner[column] = static_cast<int32_t>(i);
                space.owned[w] |= bit(column);
                break;
            }
            add(row, space.solved_for(column), w, words);
        }
    }
    return true;
}

// Leaves of the columns that are solved for only the one in each row.
void OrderedStatistics::substitute(Space& space) {
    const int words = space.words;
    for (int column = space.columns - 1; column >= 0; column--) {
        if (space.owner[column] < 0) continue;
        uint64_t* row = space.solved_for(column);
        for (int w = column / BITS; w < words; w++) {
            uint64_t rest = row[w] & space.owned[w];
            if (w == column / BITS) rest &= ~bit(column);
            for (; rest; rest &= rest - 1) add(row, space.solved_for(w * BITS + __builtin_ctzll(rest)), w, words);
        }
    }
}

// The other columns, and the right side, as bits of the columns that are solved for.
void OrderedStatistics::turn(Space& space) {
    space.solved.clear();
    space.other.clear();
    for (int column = 0; column < space.columns; column++)
        (space.owner[column] < 0 ? space.other : space.solved).push_back(column);
    const int solved = static_cast<int>(space.solved.size()), others = static_cast<int>(space.other.size());
    const int height = space.height = words_of(solved);
    space.table.resize(static_cast<size_t>(others) * height);
    space.right.assign(height, 0);
    uint64_t block[BITS];
    for (int w = 0, first = 0; w <= space.columns / BITS; w++) {
        const bool last = w == space.columns / BITS;
        int stop = first;  // of the others in this word
        while (stop < others && space.other[stop] < (w + 1) * BITS) stop++;
        if (first == stop && !last) continue;
        for (int h = 0; h < height; h++) {
            const int count = std::min(BITS, solved - h * BITS);
            for (int i = 0; i < count; i++) block[i] = space.solved_for(space.solved[h * BITS + i])[w];
            std::fill(block + count, block + BITS, 0);
            transpose(block);
            for (int i = first; i < stop; i++)
                space.table[static_cast<size_t>(i) * height + h] = block[space.other[i] % BITS];
            if (last) space.right[h] = block[space.columns % BITS];
        }
        first = stop;
    }
}

// Takes others, one or two at a time, as long as that makes the solution cheaper.
void OrderedStatistics::improve(Space& space) {
    const int solved = static_cast<int>(space.solved.size()), others = static_cast<int>(space.other.size());
    const int height = space.height, most = std::min(PAIRED, others);
    space.taken.assign(words_of(others), 0);
    space.gain.resize(solved);
    space.alone.resize(others);
    space.tried.resize(others);
    const auto column = [&](int i) { return space.table.data() + static_cast<size_t>(i) * height; };
    const auto own = [&](int i) {
        const double cost = space.cost[space.other[i]];
        return has(space.taken.data(), i) ? -cost : cost;
    };
    const auto gained = [&](const uint64_t* bits, const uint64_t* among) {  // by those that are among others, too
        double sum = 0;
        for (int w = 0; w < height; w++)
            for (uint64_t rest = bits[w] & among[w]; rest; rest &= rest - 1)
                sum += space.gain[w * BITS + __builtin_ctzll(rest)];
        return sum;
    };
    double saved[PAIRED], spent[PAIRED];
    while (others) {
        space.save.assign(height, 0);
        for (int i = 0; i < solved; i++) {
            const double cost = space.cost[space.solved[i]];
            space.gain[i] = has(space.right.data(), i) ? -cost : cost;
            if (space.gain[i] < 0) space.save[i / BITS] |= bit(i);
        }
        for (int i = 0; i < others; i++) {
            space.alone[i] = own(i) + gained(column(i), column(i));
        }
        std::iota(space.tried.begin(), space.tried.end(), 0);
        std::partial_sort(space.tried.begin(), space.tried.begin() + most, space.tried.end(), [&](int a, int b) {
            return space.alone[a] < space.alone[b] || (space.alone[a] == space.alone[b] && a < b);
        });
        for (int i = 0; i < most; i++) {
            const int a = space.tried[i];
            saved[i] = -gained(column(a), space.save.data());
            spent[i] = space.alone[a] - own(a) + saved[i];
        }
        double best = std::numeric_limits<double>::infinity();
        int first = 0, second = 0;
        for (int i = 0; i < most; i++) {
            const int a = space.tried[i];
            if (space.alone[a] < best) best = space.alone[a], first = second = i;
            for (int j = i + 1; j < most; j++) {
                const int b = space.tried[j];
                // two save at most what each saves, and spend at least what one spends beyond the other
                if (own(a) + own(b) - saved[i] - saved[j] + std::abs(spent[i] - spent[j]) >= best) continue;
                const double together = space.alone[a] + space.alone[b] - 2 * gained(column(a), column(b));
                if (together < best) best = together, first = i, second = j;
            }
        }
        if (best >= 0) break;
        for (int i : {first, second}) {
            const int a = space.tried[i];
            space.taken[a / BITS] ^= bit(a);
            for (int w = 0; w < height; w++) space.right[w] ^= column(a)[w];
            if (first == second) break;
        }
    }
}

// By how much the cheapest solution costs more that flips other observables, of those that one or two of the others
// lead to. Follows `improve`, which leaves what each of them costs.
float OrderedStatistics::margin(Space& space, bool* suspects) const {
    const int others = static_cast<int>(space.other.size()), words = flip_words_, most = std::min(PAIRED, others);
    const auto column = [&](int i) { return space.table.data() + static_cast<size_t>(i) * space.height; };
    const auto changed = [&](int i) { return space.changed.data() + static_cast<size_t>(i) * words; };
    space.changed.assign(static_cast<size_t>(others) * words, 0);
    for (int i = 0; i < others; i++) {
        uint64_t* flips = changed(i);
        const auto flip = [&](int column) {
            const uint64_t* own = flips_.data() + static_cast<size_t>(space.likely[column]) * words;
            for (int w = 0; w < words; w++) flips[w] ^= own[w];
        };
        flip(space.other[i]);
        each_one(column(i), space.height, [&](int s) { flip(space.solved[s]); });
    }
    double gap = FARTHEST;
    int first = -1, second = -1;
    for (int i = 0; i < others; i++)
        if (space.alone[i] < gap && std::any_of(changed(i), changed(i) + words, [](uint64_t w) { return w; }))
            gap = space.alone[i], first = i;
    for (int i = 0; i < most; i++) {
        const int a = space.tried[i];
        for (int j = i + 1; j < most; j++) {
            const int b = space.tried[j];
            if (std::equal(changed(a), changed(a) + words, changed(b))) continue;
            double shared = 0;
            for (int w = 0; w < space.height; w++)
                for (uint64_t rest = column(a)[w] & column(b)[w]; rest; rest &= rest - 1)
                    shared += space.gain[w * BITS + __builtin_ctzll(rest)];
            const double together = space.alone[a] + space.alone[b] - 2 * shared;
            if (together < gap) gap = together, first = a, second = b;
        }
    }
    for (int i = 0; i < k_; i++)
        suspects[i] = (first >= 0 && has(changed(first), i)) != (second >= 0 && has(changed(second), i));
    return static_cast<float>(gap);
}

}  // namespace cascade
