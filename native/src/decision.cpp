#include "decision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace cascade {

namespace {

constexpr float NONE = -std::numeric_limits<float>::infinity();

}  // namespace

Decision::Decision(int k, std::vector<int32_t> logicals, const std::vector<int32_t>& wanted, float scale)
    : scale_(scale), logicals_(std::move(logicals)), wanted_(wanted) {
    // Observables that no operator has fill up a vector: each class is there as often as any other.
    const int classes = std::max(1 << k, PADDED);
    std::map<uint64_t, int32_t> numbers;
    for (int c = 0; c < classes; c++) {
        uint64_t value = 0;
        for (size_t i = 0; i < wanted_.size(); i++)
            value |= static_cast<uint64_t>(__builtin_parityll(c & wanted_[i])) << i;
        const auto [number, made] = numbers.emplace(value, static_cast<int32_t>(values_.size()));
        if (made) values_.push_back(value);
        value_of_.push_back(number->second);
    }
}

void Decision::operator()(const Classes& kernels, const float* evidence, Work& work, bool* observables, float* suspects,
                          float* log_odds) const {
    const int classes = static_cast<int>(value_of_.size());
    // A class gains the evidence of all operators that are odd in it: half of all evidence less half of the transform.
    work.scores.assign(classes, 0.f);
    work.weights.resize(classes);
    float *scores = work.scores.data(), *weights = work.weights.data();
    for (size_t o = 0; o < logicals_.size(); o++) scores[logicals_[o]] += evidence[o];
    kernels.transform(scores, classes);
    const float whole = scores[0], half = scale_ / 2;
    for (int c = 0; c < classes; c++) scores[c] = half * (whole - scores[c]);
    const float highest = kernels.highest(scores, classes);
    if (!std::isfinite(whole) || !std::isfinite(highest)) {
        *log_odds = std::numeric_limits<float>::quiet_NaN();
        std::fill_n(observables, decided(), false);
        std::fill_n(suspects, decided(), 0.f);
        return;
    }

    int best;
    double winner = 1;
    if (values_.size() == value_of_.size()) {
        best = static_cast<int>(std::find(scores, scores + classes, highest) - scores);
    } else {
        kernels.weigh(scores, classes, highest, weights);
        work.of_value.assign(values_.size(), 0.0);
        for (int c = 0; c < classes; c++) work.of_value[value_of_[c]] += weights[c];
        const auto found = std::max_element(work.of_value.begin(), work.of_value.end());
        best = static_cast<int>(found - work.of_value.begin()), winner = *found;
    }

    // The others are weighed by the likeliest of them: beside the best they may be too small for any number.
    for (int c = 0; c < classes; c++) scores[c] = value_of_[c] == best ? NONE : scores[c];
    const float second = kernels.highest(scores, classes);
    const float others = second > NONE ? kernels.weigh(scores, classes, second, weights) : 0.f;
    if (others > 0) kernels.transform(weights, classes);
    for (int i = 0; i < decided(); i++) {
        // Half of all that the others weigh, more or less half of where they say what the best says.
        observables[i] = values_[best] >> i & 1;
        const float odd = (others - weights[wanted_[i]]) / 2, flipped = observables[i] ? others - odd : odd;
        suspects[i] = others > 0 ? std::clamp(flipped / others, 0.f, 1.f) : 0.f;
    }
    *log_odds = static_cast<float>(std::log(winner) + highest - std::log(others) - second);
}

}  // namespace cascade
