// The likeliest joint value of observables, of what a network says of many sums of them:
// `cascade_qec.engine.decision` says more readably how.
#pragma once

#include <cstdint>
#include <vector>

namespace cascade {

class Decision {
  public:
    // Memory to work in.
    struct Work {
        std::vector<float> scores, tops;
        std::vector<double> weight, flipped;
    };

    // `logicals` are the observables of the code in each operator, `wanted` those in each that is decided, as bits.
    Decision(int k, std::vector<int32_t> logicals, const std::vector<int32_t>& wanted, float scale);

    int decided() const { return decided_; }

    // From the evidence of each operator: the observables that are decided, P(one is wrong if any is), and the log-odds
    // that none is, NaN where the evidence is not finite.
    void operator()(const float* evidence, Work& work, bool* observables, float* suspects, float* log_odds) const;

  private:
    int decided_;
    float scale_;  // of the votes
    std::vector<int32_t> logicals_;
    // Joint value of the wanted observables: of each logical class its number, and of each number its bits and classes.
    std::vector<int32_t> value_of_, start_, classes_;
    std::vector<uint64_t> values_;
};

}  // namespace cascade
