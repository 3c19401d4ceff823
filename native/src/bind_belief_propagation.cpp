// What Python sees of belief propagation.
#include "belief_propagation.h"
#include "binding.h"

namespace cascade {

namespace {

BeliefPropagation* made(Array<int64_t, 1> start, Array<int64_t, 1> row, int64_t rows, Array<float, 1> prior,
                        int iterations, int orders, float scaling, float damping) {
    expect(start.size() == prior.size() + 1,
           "expected start [" + std::to_string(prior.size() + 1) + "], as prior has, got " + shape(start));
    return new BeliefPropagation(start.data(), prior.size(), row.data(), row.size(), rows, prior.data(), iterations,
                                 orders, scaling, damping);
}

nb::ndarray<nb::numpy, float> decode(const BeliefPropagation& self, Array<bool, 2> lit, int threads) {
    expect(lit.shape(1) == static_cast<size_t>(self.rows()),
           "expected lit rows [shots, " + std::to_string(self.rows()) + "], got " + shape(lit));
    expect(threads > 0, "expected at least one thread");
    const size_t shots = lit.shape(0);
    auto highest = fresh<float>({static_cast<size_t>(self.orders()), shots, static_cast<size_t>(self.components())});
    {
        nb::gil_scoped_release release;
        self.decode(bytes(lit), shots, highest.data(), threads);
    }
    return highest;
}

}  // namespace

void bind_belief_propagation(nb::module_& m) {
    nb::class_<BeliefPropagation>(m, "BeliefPropagation")
        .def(nb::new_(&made), nb::arg("start").noconvert(), nb::arg("row").noconvert(), nb::arg("rows"),
             nb::arg("prior").noconvert(), nb::kw_only(), nb::arg("iterations"), nb::arg("orders"), nb::arg("scaling"),
             nb::arg("damping"))
        .def("decode", &decode, nb::arg("lit").noconvert(), nb::kw_only(), nb::arg("threads") = 1);
}

}  // namespace cascade
