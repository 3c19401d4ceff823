// Ordered statistics of one shot after the other, as `cascade_qec.components.ordered_statistics` says more readably.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cascade {

class OrderedStatistics {
  public:
    // start [components + 1] and row [entries]: component c flips the rows row[start[c]:start[c + 1]].
    // observables [components, k]: not zero where it flips one. least: log-odds up to which a component is left out.
    // weights [components] or null: log-odds that sets are compared by, in place of each shot's own.
    // Throws std::invalid_argument if they do not fit one another.
    OrderedStatistics(const int64_t* start, size_t components, const int64_t* row, size_t entries, int64_t rows,
                      const uint8_t* observables, size_t k, double least, const float* weights);

    // log_odds [shots, components], lit [shots, rows], observables and suspects [shots, k], gaps [shots] or null. costs
    // [shots]: of the components chosen, infinite where no set explains the events.
    void decode(const float* log_odds, const uint8_t* lit, size_t shots, bool* observables, bool* suspects, float* gaps,
                double* costs, int threads) const;

    int components() const { return components_; }
    int rows() const { return rows_; }
    int k() const { return k_; }

  private:
    struct Space;

    void decode_one(Space& space, const float* log_odds, const uint8_t* lit, bool* observables, bool* suspects,
                    float* gap, double* cost) const;
    void choose(Space& space, const float* log_odds, int most) const;
    bool lay_out(Space& space, const uint8_t* lit) const;
    static bool eliminate(Space& space);
    static void substitute(Space& space);
    static void turn(Space& space);
    static void improve(Space& space);
    float margin(Space& space, bool* suspects) const;

    int components_, rows_, k_, flip_words_;
    float least_;
    std::vector<int32_t> start_, row_;
    std::vector<uint64_t> flips_;  // [components, flip words]
    std::vector<double> cost_;     // [components], or none
};

}  // namespace cascade
