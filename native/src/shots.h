// What decides by posteriors one shot after the other: what log-odds cost, and how threads share the shots.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <limits>
#include <system_error>
#include <thread>
#include <vector>

namespace cascade {

// Costs are multiples of 2^-24 up to 2^10: so sums of half a million of them are exact, in whichever order.
constexpr double SURE = 1 << 10;
constexpr double ROUNDING = 3. * (1 << 27);  // has 24 bits behind the point, and leaves no more to what is added

// What is no number costs as much as what is impossible.
inline double cost_of(float log_odds) {
    const double kept = log_odds > -SURE ? std::min<double>(log_odds, SURE) : -SURE;
    return (ROUNDING - kept) - ROUNDING;
}

// Floats are above the one if, and only if, they are above the other.
inline float rounded_down(double least) {
    const float found = static_cast<float>(least);
    return found > least ? std::nextafter(found, -std::numeric_limits<float>::infinity()) : found;
}

// Calls `work(first, last)` for parts of the shots, each in a thread.
template <class Work>
void in_threads(size_t shots, int threads, Work work) {
    const size_t parts = std::max<size_t>(std::min<size_t>(std::max(threads, 1), shots), 1);
    std::vector<std::exception_ptr> errors(parts);
    const auto guarded = [&](size_t part) {
        try {
            work(shots * part / parts, shots * (part + 1) / parts);
        } catch (...) {
            errors[part] = std::current_exception();
        }
    };
    std::vector<std::thread> others;
    others.reserve(parts);
    for (size_t part = 1; part < parts; part++) {
        try {
            others.emplace_back(guarded, part);
        } catch (const std::system_error&) {  // no more threads to be had
            guarded(part);
        }
    }
    guarded(0);
    for (std::thread& other : others) other.join();
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
}

}  // namespace cascade
