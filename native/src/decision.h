// The likeliest joint value of observables, of what a network says of many sums of them:
// `cascade_qec.engine.decision` says more readably how.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "kernels.h"

namespace cascade {

class Decision {
  public:
    // Memory to work in.
    struct Work {
        Floats scores, weights;
        std::vector<double> of_value;
    };

    // `logicals` are the observables of the code in each operator, `wanted` those in each that is decided, as bits.
    Decision(int k, std::vector<int32_t> logicals, const std::vector<int32_t>& wanted, float scale);

    int decided() const { return static_cast<int>(wanted_.size()); }

    // From the evidence of each operator: the observables that are decided, P(one is wrong if any is), and the log-odds
    // that none is, NaN where the evidence is not finite.
    void operator()(const Classes& kernels, const float* evidence, Work& work, bool* observables, float* suspects,
                    float* log_odds) const;

  private:
    float scale_;  // of the votes
    std::vector<int32_t> logicals_, wanted_;
    std::vector<int32_t> value_of_;  // of each logical class: the number of the joint value of what is wanted
    std::vector<uint64_t> values_;   // of each such number: that value, as bits
};

}  // namespace cascade
