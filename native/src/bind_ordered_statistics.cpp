// What Python sees of ordered statistics.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <string>

#include "ordered_statistics.h"

namespace nb = nanobind;

namespace cascade {

namespace {

template <class T, int N>
using Array = nb::ndarray<const T, nb::ndim<N>, nb::c_contig, nb::device::cpu>;

void expect(bool holds, const std::string& what) {
    if (!holds) throw nb::value_error(what.c_str());
}

template <class Any>
std::string shape(const Any& of) {
    std::string text = "[";
    for (size_t i = 0; i < of.ndim(); i++) text += (i ? ", " : "") + std::to_string(of.shape(i));
    return text + "]";
}

OrderedStatistics* made(Array<int64_t, 1> start, Array<int64_t, 1> row, int64_t rows, Array<bool, 2> observables,
                        double least) {
    const size_t components = observables.shape(0);
    expect(start.size() == components + 1,
           "expected start [" + std::to_string(components + 1) + "], as observables have, got " + shape(start));
    try {
        return new OrderedStatistics(start.data(), components, row.data(), row.size(), rows,
                                     reinterpret_cast<const uint8_t*>(observables.data()), observables.shape(1), least);
    } catch (const std::invalid_argument& error) {
        throw nb::value_error(error.what());
    }
}

nb::ndarray<nb::numpy, bool> decode(const OrderedStatistics& self, Array<float, 2> log_odds, Array<bool, 2> lit,
                                    int threads) {
    const size_t shots = log_odds.shape(0), k = self.k();
    expect(static_cast<int64_t>(log_odds.shape(1)) == self.components(),
           "expected log-odds [shots, " + std::to_string(self.components()) + "], got " + shape(log_odds));
    expect(lit.shape(0) == shots && static_cast<int64_t>(lit.shape(1)) == self.rows(),
           "expected lit rows [" + std::to_string(shots) + ", " + std::to_string(self.rows()) + "], got " + shape(lit));
    expect(threads > 0, "expected at least one thread");
    auto observables = std::make_unique<bool[]>(shots * k);
    {
        nb::gil_scoped_release release;
        self.decode(log_odds.data(), reinterpret_cast<const uint8_t*>(lit.data()), shots, observables.get(), threads);
    }
    bool* data = observables.release();
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<bool*>(p); });
    return nb::ndarray<nb::numpy, bool>(data, {shots, k}, owner);
}

}  // namespace

void bind_ordered_statistics(nb::module_& m) {
    nb::class_<OrderedStatistics>(m, "OrderedStatistics")
        .def(nb::new_(&made), nb::arg("start").noconvert(), nb::arg("row").noconvert(), nb::arg("rows"),
             nb::arg("observables").noconvert(), nb::kw_only(), nb::arg("least"))
        .def("decode", &decode, nb::arg("log_odds").noconvert(), nb::arg("lit").noconvert(), nb::kw_only(),
             nb::arg("threads") = 1);
}

}  // namespace cascade
