// What Python sees of matching.
#include <algorithm>

#include "binding.h"
#include "matching.h"

namespace cascade {

namespace {

Matching* made(Array<int64_t, 1> start, Array<int64_t, 1> row, int64_t rows, Array<bool, 2> observables,
               Array<bool, 1> far, double least) {
    expect_components(start, observables);
    expect(far.size() == observables.shape(0),
           "expected far [" + std::to_string(observables.shape(0)) + "], as observables have, got " + shape(far));
    return new Matching(start.data(), observables.shape(0), row.data(), row.size(), rows, bytes(observables),
                        observables.shape(1), least, bytes(far));
}

nb::tuple decode(const Matching& self, Array<float, 2> log_odds, Array<bool, 2> lit, bool gaps, int threads) {
    expect_shots(self, log_odds, lit, threads);
    const size_t shots = log_odds.shape(0);
    auto observables = fresh<bool>({shots, static_cast<size_t>(self.k())}), decided = fresh<bool>({shots});
    auto gap = fresh<float>({shots});
    std::fill_n(gap.data(), shots, 0.f);
    {
        nb::gil_scoped_release release;
        self.decode(log_odds.data(), bytes(lit), shots, observables.data(), gaps ? gap.data() : nullptr, decided.data(),
                    threads);
    }
    return nb::make_tuple(observables, gap, decided);
}

}  // namespace

void bind_matching(nb::module_& m) {
    nb::class_<Matching>(m, "Matching")
        .def(nb::new_(&made), nb::arg("start").noconvert(), nb::arg("row").noconvert(), nb::arg("rows"),
             nb::arg("observables").noconvert(), nb::arg("far").noconvert(), nb::kw_only(), nb::arg("least"))
        .def("decode", &decode, nb::arg("log_odds").noconvert(), nb::arg("lit").noconvert(), nb::kw_only(),
             nb::arg("gaps") = false, nb::arg("threads") = 1);
}

}  // namespace cascade
