// Exact matching of one shot after the other, each with its own weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

namespace cascade {

// A component is an edge between two rows, or from one to the boundary, and weighs what its log-odds cost. Components
// that are likelier than not are flipped first, so that no weight is negative. Then what is still lit, the defects, is
// explained by the lightest paths from one to another and to the boundary.
class Matching {
  public:
    static constexpr size_t MOST_OBSERVABLES = 255;

    // start [components + 1] and row [entries]: component c flips the rows row[start[c]:start[c + 1]], one or two.
    // observables [components, k]: not zero where it flips one. least: log-odds up to which a component is left out.
    // far [components]: not zero where one that flips one row leads to the far one of two boundaries. That tells two
    // classes of solutions apart: those in which an even number leads there, and those in which an odd number does.
    // Throws std::invalid_argument if they do not fit one another.
    Matching(const int64_t* start, size_t components, const int64_t* row, size_t entries, int64_t rows,
             const uint8_t* observables, size_t k, double least, const uint8_t* far);

    // log_odds [shots, components], lit [shots, rows], observables [shots, k].
    // gaps [shots], or null: how much lighter the lightest solution of the decided class is than that of the other, of
    // all components. Infinite where there is no other, zero where no solution explains a shot.
    // decided [shots]: false where more defects depend on one another than are matched here.
    void decode(const float* log_odds, const uint8_t* lit, size_t shots, bool* observables, float* gaps, bool* decided,
                int threads) const;

    int components() const { return components_; }
    int rows() const { return rows_; }
    int k() const { return k_; }

    // What is flipped: observables as bits, the last bit where a component leads far.
    struct Flips {
        uint64_t words[(MOST_OBSERVABLES + 1) / 64] = {};

        void operator^=(const Flips& other) {
            for (size_t w = 0; w < std::size(words); w++) words[w] ^= other.words[w];
        }
        Flips operator^(const Flips& other) const {
            Flips sum = *this;
            sum ^= other;
            return sum;
        }
        void set(size_t bit) { words[bit / 64] |= uint64_t{1} << bit % 64; }
        bool operator[](size_t bit) const { return words[bit / 64] >> bit % 64 & 1; }
    };

  private:
    struct Space;
    struct Link {
        int32_t row, component;
    };
    enum class Found { SOLUTION, NONE, TOO_LARGE };

    bool decode_one(Space& space, const float* log_odds, const uint8_t* lit, bool* observables, float* gap) const;
    void weigh(Space& space, const float* log_odds, const uint8_t* lit) const;
    Found decide(Space& space, const std::vector<int64_t>& weight) const;
    Found compare(Space& space, float* gap) const;
    template <class Visit>
    void spread(Space& space, const std::vector<int64_t>& weight, Visit visit) const;
    void pair_up(Space& space, const std::vector<int64_t>& weight) const;

    int components_, rows_, k_;
    float least_;
    std::vector<Flips> flips_;                 // [components]
    std::vector<int32_t> ends_;                // [components, 2]: its rows, -1 for the boundary
    std::vector<int32_t> first_;               // [rows + 1]: the links of a row in `links_`
    std::vector<Link> links_;                  // from rows to rows
    std::vector<Link> boundary_, near_, far_;  // rows next to any boundary, and to either
};

}  // namespace cascade
