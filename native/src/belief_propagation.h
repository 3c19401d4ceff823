// Min-sum belief propagation of many shots, as `cascade_qec.components.belief_propagation` says more readably.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "min_sum.h"

namespace cascade {

class BeliefPropagation {
  public:
    // start [components + 1] and row [entries]: component c flips the rows row[start[c]:start[c + 1]].
    // prior [components]: log-odds that each is flipped, before any event.
    // orders: how often `iterations` is halved, and once more.
    // Throws std::invalid_argument if they do not fit one another.
    BeliefPropagation(const int64_t* start, size_t components, const int64_t* row, size_t entries, int64_t rows,
                      const float* prior, int iterations, int orders, float scaling, float damping);

    // lit [shots, rows], highest [orders, shots, components]: the highest log-odds of each over all iterations, the
    // first half of them, the first quarter, and so on.
    void decode(const uint8_t* lit, size_t shots, float* highest, int threads) const;

    int components() const { return components_; }
    int rows() const { return rows_; }
    int orders() const { return orders_; }

  private:
    // The orders of a shot are `stride` apart.
    void decode_some(const uint8_t* lit, size_t shots, float* highest, size_t stride) const;

    const MinSum& kernel_;
    int components_, rows_, iterations_, orders_;
    float scaling_, damping_;
    std::vector<int32_t> start_, component_;  // row r is flipped by component_[start_[r]:start_[r + 1]]
    std::vector<float> prior_;
};

}  // namespace cascade
