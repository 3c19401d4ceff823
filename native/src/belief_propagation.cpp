#include "belief_propagation.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "columns.h"
#include "shots.h"

namespace cascade {

namespace {

constexpr int LANES = 8;  // shots side by side
constexpr int MOST = 1 << 27;

typedef float Lane __attribute__((vector_size(4 * LANES)));
typedef int32_t Mask __attribute__((vector_size(4 * LANES)));

constexpr int32_t SIGN = std::numeric_limits<int32_t>::min();

}  // namespace

// Everything but the tables has the shots of a block side by side. Log-odds are those that nothing is flipped.
struct BeliefPropagation::Space {
    std::vector<Lane> message;  // [entries]: what each row says to each of its components
    std::vector<Lane> odds;     // [components]: after the iteration before
    std::vector<Lane> next;     // [components]: after this one
    std::vector<Lane> lowest;   // [components]
    std::vector<Mask> lit;      // [rows]: the sign bit where an event is
};

BeliefPropagation::BeliefPropagation(const int64_t* start, size_t components, const int64_t* row, size_t entries,
                                     int64_t rows, const float* prior, int iterations, float scaling, float damping)
    : iterations_(iterations), scaling_(scaling), damping_(damping), prior_(prior, prior + components) {
    if (components >= MOST || entries >= MOST || rows < 0 || rows >= MOST)
        throw std::invalid_argument("expected fewer components and rows");
    if (iterations < 1 || !(scaling > 0 && scaling <= 1) || !(damping >= 0 && damping < 1))
        throw std::invalid_argument("expected iterations >= 1, 0 < scaling <= 1, 0 <= damping < 1");
    check_columns(start, components, row, entries, rows);
    components_ = static_cast<int>(components), rows_ = static_cast<int>(rows);
    start_.assign(rows + 1, 0);
    for (size_t i = 0; i < entries; i++) start_[row[i] + 1]++;
    for (int r = 0; r < rows_; r++) start_[r + 1] += start_[r];
    component_.resize(entries);
    std::vector<int32_t> end(start_.begin(), start_.end() - 1);
    for (int c = 0; c < components_; c++)
        for (int64_t i = start[c]; i < start[c + 1]; i++) component_[end[row[i]]++] = c;
}

void BeliefPropagation::decode(const uint8_t* lit, size_t shots, float* highest, int threads) const {
    const size_t blocks = (shots + LANES - 1) / LANES;
    in_threads(blocks, threads, [&](size_t first, size_t last) {
        Space space;
        for (size_t block = first; block < last; block++) {
            const size_t begin = block * LANES, count = std::min<size_t>(LANES, shots - begin);
            space.lit.assign(rows_, Mask{});
            for (size_t s = 0; s < count; s++)
                for (int r = 0; r < rows_; r++)
                    if (lit[(begin + s) * rows_ + r]) space.lit[r][s] = SIGN;
            iterate(space);
            for (size_t s = 0; s < count; s++)
                for (int c = 0; c < components_; c++) highest[(begin + s) * components_ + c] = -space.lowest[c][s];
        }
    });
}

void BeliefPropagation::iterate(Space& space) const {
    const Lane farthest = Lane{} + static_cast<float>(SURE), scaling = Lane{} + scaling_, damping = Lane{} + damping_;
    space.message.assign(component_.size(), Lane{});
    space.odds.resize(components_);
    space.next.resize(components_);
    for (int c = 0; c < components_; c++) space.odds[c] = Lane{} - prior_[c];
    space.lowest.assign(components_, farthest);
    for (int iteration = 0; iteration < iterations_; iteration++) {
        for (int c = 0; c < components_; c++) space.next[c] = Lane{} - prior_[c];
        for (int r = 0; r < rows_; r++) {
            Lane least = farthest, second = farthest;
            Mask sign = space.lit[r];
            for (int i = start_[r]; i < start_[r + 1]; i++) {
                const Lane said = space.odds[component_[i]] - space.message[i];
                const Mask bits = reinterpret_cast<Mask>(said);
                sign ^= bits & SIGN;
                const Lane size = reinterpret_cast<Lane>(bits & ~SIGN);
                const Lane larger = size > least ? size : least;
                second = second < larger ? second : larger;
                least = least < size ? least : size;
            }
            for (int i = start_[r]; i < start_[r + 1]; i++) {
                const Lane said = space.odds[component_[i]] - space.message[i];
                const Mask bits = reinterpret_cast<Mask>(said);
                const Lane size = reinterpret_cast<Lane>(bits & ~SIGN);
                const Lane other = scaling * (size == least ? second : least);
                const Lane fresh = reinterpret_cast<Lane>(reinterpret_cast<Mask>(other) ^ ((sign ^ bits) & SIGN));
                space.message[i] = damping * space.message[i] + (1 - damping) * fresh;
                space.next[component_[i]] += space.message[i];
            }
        }
        space.odds.swap(space.next);
        for (int c = 0; c < components_; c++)
            space.lowest[c] = space.lowest[c] < space.odds[c] ? space.lowest[c] : space.odds[c];
    }
}

}  // namespace cascade
