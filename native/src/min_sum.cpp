// Compiled once for each instruction set, CASCADE_SET. Nothing in here may be shared with what is compiled otherwise.
#include "min_sum.h"

#include <cstddef>
#include <limits>

#include "lanes.h"

namespace {

constexpr int32_t SIGN = std::numeric_limits<int32_t>::min();
constexpr float FARTHEST = 1 << 10;  // log-odds beyond which nothing is told

inline Int bits(Vec v) { return reinterpret_cast<Int>(v); }

inline Vec floats(Int v) { return reinterpret_cast<Vec>(v); }

inline Int load_bits(const int32_t* p) {
    Int v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

inline void begin(const cascade::MinSumTables& tables, const cascade::MinSumShots& shots) {
    const Int kept = load_bits(shots.kept);
    for (int c = 0; c < tables.components; c++) {
        const ptrdiff_t at = static_cast<ptrdiff_t>(c) * LANES;
        const Vec prior = all(-tables.prior[c]), odds = kept ? load(shots.next + at) : prior;
        const Vec lowest = least(load(shots.lowest + at), odds);
        store(shots.odds + at, odds);
        store(shots.lowest + at, kept ? lowest : all(FARTHEST));
        store(shots.next + at, prior);
    }
}

void iterate(const cascade::MinSumTables& tables, const cascade::MinSumShots& shots) {
    begin(tables, shots);
    const Int kept = load_bits(shots.kept);
    const Vec scaling = all(tables.scaling), damping = all(tables.damping), rest = all(1 - tables.damping);
    Int unexplained{};
    for (int r = 0; r < tables.rows; r++) {
        const int32_t* component = tables.component + tables.start[r];
        const int degree = tables.start[r + 1] - tables.start[r];
        float* message = shots.message + static_cast<ptrdiff_t>(tables.start[r]) * LANES;
        Vec smallest = all(FARTHEST), second = smallest;
        Int sign = load_bits(shots.lit + static_cast<ptrdiff_t>(r) * LANES), odd = sign;
        for (int i = 0; i < degree; i++) {
            const Vec odds = load(shots.odds + static_cast<ptrdiff_t>(component[i]) * LANES);
            const Vec said = odds - floats(bits(load(message + i * LANES)) & kept);
            store(shots.said + i * LANES, said);
            sign ^= bits(said);
            odd ^= bits(odds);
            const Vec size = floats(bits(said) & ~SIGN);
            second = least(second, most(size, smallest));
            smallest = least(smallest, size);
        }
        unexplained |= odd;
        for (int i = 0; i < degree; i++) {
            const Vec said = load(shots.said + i * LANES), size = floats(bits(said) & ~SIGN);
            const Vec others = scaling * (size == smallest ? second : smallest);
            const Vec fresh = floats(bits(others) ^ ((sign ^ bits(said)) & SIGN));
            const Vec told = damping * floats(bits(load(message + i * LANES)) & kept) + rest * fresh;
            store(message + i * LANES, told);
            float* next = shots.next + static_cast<ptrdiff_t>(component[i]) * LANES;
            store(next, load(next) + told);
        }
    }
    std::memcpy(shots.unexplained, &unexplained, sizeof unexplained);
}

}  // namespace

namespace cascade {

#define CASCADE_JOINED(name, set) name##set
#define CASCADE_OF(name, set) CASCADE_JOINED(name, set)

extern const MinSum CASCADE_OF(min_sum_, CASCADE_SET) = {LANES, iterate};

}  // namespace cascade
