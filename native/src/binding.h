// What the bindings share: arrays as they come in and go out, and what is said of wrong ones.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <utility>
#include <vector>

#include "links.h"

namespace cascade {

namespace nb = nanobind;

template <class T, int N>
using Array = nb::ndarray<const T, nb::ndim<N>, nb::c_contig, nb::device::cpu>;

inline void expect(bool holds, const char* what) {
    if (!holds) throw nb::value_error(what);
}

inline void expect(bool holds, const std::string& what) { expect(holds, what.c_str()); }

// As messages give it.
template <class Any>
std::string shape(const Any& of) {
    std::string text = "[";
    for (size_t i = 0; i < of.ndim(); i++) text += (i ? ", " : "") + std::to_string(of.shape(i));
    return text + "]";
}

template <class T, class From>
std::vector<T> copied(const From& from) {
    return std::vector<T>(from.data(), from.data() + from.size());
}

// An array that Python frees.
template <class T>
nb::ndarray<nb::numpy, T> fresh(const std::vector<size_t>& shape) {
    size_t size = 1;
    for (size_t n : shape) size *= n;
    T* data = new T[size];
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    return nb::ndarray<nb::numpy, T>(data, shape.size(), shape.data(), owner);
}

// The same of a vector's numbers.
template <class Vector>
nb::ndarray<nb::numpy, typename Vector::value_type> given_away(Vector&& from, const std::vector<size_t>& shape) {
    auto* kept = new Vector(std::move(from));
    nb::capsule owner(kept, [](void* p) noexcept { delete static_cast<Vector*>(p); });
    return nb::ndarray<nb::numpy, typename Vector::value_type>(kept->data(), shape.size(), shape.data(), owner);
}

inline Links links_from(const Array<int32_t, 2>& read, const Array<int32_t, 1>& plane, int sites_in) {
    expect(read.shape(0) == plane.size() && read.shape(1) > 0 && sites_in > 0,
           "expected a plane of each site of a table");
    return Links(copied<int32_t>(read), copied<int32_t>(plane), static_cast<int>(read.shape(1)), sites_in);
}

// An array of bool as the kernels take it.
template <class Bools>
const uint8_t* bytes(const Bools& of) {
    return reinterpret_cast<const uint8_t*>(of.data());
}

// What decides by the posteriors of components is made of where their rows begin, and of what they flip, ...
inline void expect_components(const Array<int64_t, 1>& start, const Array<bool, 2>& observables) {
    const size_t ends = observables.shape(0) + 1;
    expect(start.size() == ends,
           "expected start [" + std::to_string(ends) + "], as observables have, got " + shape(start));
}

// ... and is given the log-odds of all components, and whether each row is lit.
template <class Decider>
void expect_shots(const Decider& self, const Array<float, 2>& log_odds, const Array<bool, 2>& lit, int threads) {
    const size_t shots = log_odds.shape(0), components = self.components(), rows = self.rows();
    expect(log_odds.shape(1) == components,
           "expected log-odds [shots, " + std::to_string(components) + "], got " + shape(log_odds));
    expect(lit.shape(0) == shots && lit.shape(1) == rows,
           "expected lit rows [" + std::to_string(shots) + ", " + std::to_string(rows) + "], got " + shape(lit));
    expect(threads > 0, "expected at least one thread");
}

}  // namespace cascade
