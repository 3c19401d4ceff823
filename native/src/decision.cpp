#include "decision.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cascade {

namespace {

constexpr float NEGLIGIBLE = 30;  // log-odds of a class to the likeliest from which on it adds nothing
constexpr int BLOCK = 16;         // classes whose highest score is known
constexpr float NONE = -std::numeric_limits<float>::infinity();

// Sums over all classes, with a sign where an odd number of bits is in both: the Walsh-Hadamard transform.
void transform(float* x, int count) {
    int step = 1;
    for (; 4 * step <= count; step *= 4)
        for (int i = 0; i < count; i += 4 * step) {
            float *__restrict a = x + i, *__restrict b = a + step, *__restrict c = b + step, *__restrict d = c + step;
            for (int j = 0; j < step; j++) {
                const float ab = a[j] + b[j], a_b = a[j] - b[j], cd = c[j] + d[j], c_d = c[j] - d[j];
                a[j] = ab + cd, b[j] = a_b + c_d, c[j] = ab - cd, d[j] = a_b - c_d;
            }
        }
    if (step < count)
        for (int j = 0; j < step; j++) {
            const float sum = x[j] + x[j + step];
            x[j + step] = x[j] - x[j + step], x[j] = sum;
        }
}

float highest_of(const float* x, int count) {
    float found = NONE;
    for (int i = 0; i < count; i++) found = x[i] > found ? x[i] : found;
    return found;
}

// Calls `each` with every class whose score is no lower than a threshold: of scores so large that NEGLIGIBLE is lost in
// them the highest stay.
template <class Each>
void down_to(float threshold, const std::vector<float>& scores, const std::vector<float>& tops, Each each) {
    const int classes = static_cast<int>(scores.size());
    for (int block = 0; block * BLOCK < classes; block++) {
        if (!(tops[block] >= threshold)) continue;
        for (int c = block * BLOCK; c < std::min((block + 1) * BLOCK, classes); c++)
            if (scores[c] >= threshold) each(c);
    }
}

}  // namespace

Decision::Decision(int k, std::vector<int32_t> logicals, const std::vector<int32_t>& wanted, float scale)
    : decided_(static_cast<int>(wanted.size())), scale_(scale), logicals_(std::move(logicals)) {
    std::vector<uint64_t> of_class(size_t{1} << k, 0);
    for (size_t c = 0; c < of_class.size(); c++)
        for (size_t i = 0; i < wanted.size(); i++)
            of_class[c] |= static_cast<uint64_t>(__builtin_parityll(c & wanted[i])) << i;
    values_ = of_class;
    std::sort(values_.begin(), values_.end());
    values_.erase(std::unique(values_.begin(), values_.end()), values_.end());
    start_.assign(values_.size() + 1, 0);
    for (uint64_t value : of_class) {
        const auto found = std::lower_bound(values_.begin(), values_.end(), value) - values_.begin();
        value_of_.push_back(static_cast<int32_t>(found));
        start_[found + 1]++;
    }
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    classes_.resize(of_class.size());
    std::iota(classes_.begin(), classes_.end(), 0);
    std::stable_sort(classes_.begin(), classes_.end(), [&](int a, int b) { return value_of_[a] < value_of_[b]; });
}

void Decision::operator()(const float* evidence, Work& work, bool* observables, float* suspects,
                          float* log_odds) const {
    const int classes = static_cast<int>(value_of_.size()), blocks = (classes + BLOCK - 1) / BLOCK;
    // A class gains the evidence of all operators that are odd in it: half of all evidence less half of the transform.
    std::vector<float>&scores = work.scores, &tops = work.tops;
    scores.assign(classes, 0.f);
    for (size_t o = 0; o < logicals_.size(); o++) scores[logicals_[o]] += evidence[o];
    transform(scores.data(), classes);
    const float whole = scores[0];
    for (float& score : scores) score = scale_ * (whole - score) / 2;
    const auto top_of = [&](int block) {
        return highest_of(&scores[block * BLOCK], std::min(BLOCK, classes - block * BLOCK));
    };
    tops.resize(blocks);
    for (int block = 0; block < blocks; block++) tops[block] = top_of(block);

    const float highest = highest_of(tops.data(), blocks);
    if (!std::isfinite(whole) || !std::isfinite(highest)) {
        *log_odds = std::numeric_limits<float>::quiet_NaN();
        std::fill_n(observables, decided_, false);
        std::fill_n(suspects, decided_, 0.f);
        return;
    }
    work.weight.resize(values_.size(), 0.0);  // which each call leaves at zero
    int best = -1;
    down_to(highest - NEGLIGIBLE, scores, tops, [&](int c) {
        work.weight[value_of_[c]] += std::exp(static_cast<double>(scores[c] - highest));
    });
    down_to(highest - NEGLIGIBLE, scores, tops, [&](int c) {
        const int value = value_of_[c];
        const double gain = best < 0 ? 1 : work.weight[value] - work.weight[best];
        if (gain > 0 || (gain == 0 && value < best)) best = value;
    });
    const double winner = work.weight[best];
    down_to(highest - NEGLIGIBLE, scores, tops, [&](int c) { work.weight[value_of_[c]] = 0; });

    // The others are weighed by the likeliest of them: beside the best they may be too small for any number.
    for (int i = start_[best]; i < start_[best + 1]; i++) {
        scores[classes_[i]] = NONE;
        tops[classes_[i] / BLOCK] = top_of(classes_[i] / BLOCK);
    }
    const float second = highest_of(tops.data(), blocks);
    double others = 0;
    work.flipped.assign(decided_, 0.0);
    const auto weigh = [&](int c) {
        const double w = std::exp(static_cast<double>(scores[c] - second));
        others += w;
        for (uint64_t flips = values_[value_of_[c]] ^ values_[best]; flips; flips &= flips - 1)
            work.flipped[__builtin_ctzll(flips)] += w;
    };
    if (second > NONE) down_to(second - NEGLIGIBLE, scores, tops, weigh);
    for (int i = 0; i < decided_; i++) {
        observables[i] = (values_[best] >> i) & 1;
        suspects[i] = others > 0 ? static_cast<float>(work.flipped[i] / others) : 0.f;
    }
    *log_odds = static_cast<float>(std::log(winner) + highest - std::log(others) - second);
}

}  // namespace cascade
