// What Python sees of ordered statistics.
#include <nanobind/stl/optional.h>

#include <algorithm>
#include <optional>

#include "binding.h"
#include "ordered_statistics.h"

namespace cascade {

namespace {

OrderedStatistics* made(Array<int64_t, 1> start, Array<int64_t, 1> row, int64_t rows, Array<bool, 2> observables,
                        double least, const std::optional<Array<float, 1>>& weights) {
    expect_components(start, observables);
    expect(!weights || weights->size() == observables.shape(0),
           "expected weights [" + std::to_string(observables.shape(0)) + "], as observables have");
    return new OrderedStatistics(start.data(), observables.shape(0), row.data(), row.size(), rows, bytes(observables),
                                 observables.shape(1), least, weights ? weights->data() : nullptr);
}

nb::tuple decode(const OrderedStatistics& self, Array<float, 2> log_odds, Array<bool, 2> lit, bool gaps, int threads) {
    expect_shots(self, log_odds, lit, threads);
    const size_t shots = log_odds.shape(0), k = static_cast<size_t>(self.k());
    auto observables = fresh<bool>({shots, k}), suspects = fresh<bool>({shots, k});
    auto gap = fresh<float>({shots});
    auto cost = fresh<double>({shots});
    std::fill_n(gap.data(), shots, 0.f);
    {
        nb::gil_scoped_release release;
        self.decode(log_odds.data(), bytes(lit), shots, observables.data(), suspects.data(),
                    gaps ? gap.data() : nullptr, cost.data(), threads);
    }
    return nb::make_tuple(observables, suspects, gap, cost);
}

}  // namespace

void bind_ordered_statistics(nb::module_& m) {
    nb::class_<OrderedStatistics>(m, "OrderedStatistics")
        .def(nb::new_(&made), nb::arg("start").noconvert(), nb::arg("row").noconvert(), nb::arg("rows"),
             nb::arg("observables").noconvert(), nb::kw_only(), nb::arg("least"),
             nb::arg("weights").noconvert() = nb::none())
        .def("decode", &decode, nb::arg("log_odds").noconvert(), nb::arg("lit").noconvert(), nb::kw_only(),
             nb::arg("gaps") = false, nb::arg("threads") = 1);
}

}  // namespace cascade
