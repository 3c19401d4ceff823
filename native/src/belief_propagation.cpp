#include "belief_propagation.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "columns.h"
#include "shots.h"

namespace cascade {

namespace {

constexpr int MOST = 1 << 27;
constexpr int32_t SIGN = std::numeric_limits<int32_t>::min();

}  // namespace

BeliefPropagation::BeliefPropagation(const int64_t* start, size_t components, const int64_t* row, size_t entries,
                                     int64_t rows, const float* prior, int iterations, int orders, float scaling,
                                     float damping)
    : kernel_(min_sum()),
      iterations_(iterations),
      orders_(orders),
      scaling_(scaling),
      damping_(damping),
      prior_(prior, prior + components) {
    if (components >= MOST || entries >= MOST || rows < 0 || rows >= MOST)
        throw std::invalid_argument("expected fewer components and rows");
    if (iterations < 1 || !(scaling > 0 && scaling <= 1) || !(damping >= 0 && damping < 1))
        throw std::invalid_argument("expected iterations >= 1, 0 < scaling <= 1, 0 <= damping < 1");
    if (orders < 1 || orders > 31 || !(iterations >> (orders - 1)))
        throw std::invalid_argument("expected orders of at least one iteration");
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
    const size_t blocks = (shots + kernel_.shots - 1) / kernel_.shots;
    in_threads(shots, static_cast<int>(std::min<size_t>(threads, blocks)), [&](size_t first, size_t last) {
        decode_some(lit + first * rows_, last - first, highest + first * components_, shots * components_);
    });
}

// Shots side by side, each in a lane; where one is done, the next one begins.
void BeliefPropagation::decode_some(const uint8_t* lit, size_t shots, float* highest, size_t stride) const {
    const size_t lanes = kernel_.shots;
    int degree = 0;
    for (int r = 0; r < rows_; r++) degree = std::max(degree, start_[r + 1] - start_[r]);
    std::vector<float> message(component_.size() * lanes), odds(components_ * lanes), next(odds), lowest(odds);
    std::vector<float> said(degree * lanes);
    std::vector<int32_t> events(rows_ * lanes), kept(lanes), unexplained(lanes), iteration(lanes);
    const MinSumTables tables{start_.data(), component_.data(), prior_.data(), rows_, components_, scaling_, damping_};
    const MinSumShots space{message.data(), odds.data(),   next.data(), lowest.data(),
                            said.data(),    events.data(), kept.data(), unexplained.data()};
    std::vector<size_t> shot(lanes, shots);
    size_t begun = 0, done = 0;
    const auto begin = [&](size_t lane) {
        shot[lane] = std::min(begun++, shots);
        iteration[lane] = kept[lane] = 0;
        if (shot[lane] == shots) return;
        for (int r = 0; r < rows_; r++) events[r * lanes + lane] = lit[shot[lane] * rows_ + r] ? SIGN : 0;
    };
    for (size_t lane = 0; lane < lanes; lane++) begin(lane);
    while (done < shots) {
        kernel_.iterate(tables, space);
        for (size_t lane = 0; lane < lanes; lane++) {
            if (shot[lane] == shots) continue;
            const bool is_done = iteration[lane] && (iteration[lane] == iterations_ || unexplained[lane] >= 0);
            for (int order = 0; order < orders_; order++) {
                const int last = iterations_ >> order;
                if (is_done ? last < iteration[lane] : last != iteration[lane]) continue;
                float* found = highest + order * stride + shot[lane] * components_;
                for (int c = 0; c < components_; c++) found[c] = -lowest[c * lanes + lane];
            }
            if (is_done) {
                done++;
                begin(lane);
            } else {
                iteration[lane]++;
                kept[lane] = -1;
            }
        }
    }
}

}  // namespace cascade
