// The trunk's training pass, for Python.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include "binding.h"
#include "training.h"

namespace cascade {

namespace {

using Table = Array<int32_t, 2>;
using Planes = Array<int32_t, 1>;
using Arrays = std::vector<nb::ndarray<const float, nb::c_contig, nb::device::cpu>>;

// Reads a list of arrays in the order of `cascade_qec.kernels.Block.parameters`.
class Reader {
  public:
    explicit Reader(const Arrays& arrays) : arrays_(arrays) {}

    const float* next(std::vector<size_t> shape) {
        expect(at_ < arrays_.size(), "expected more arrays");
        const auto& array = arrays_[at_++];
        bool fits = array.ndim() == shape.size();
        for (size_t i = 0; fits && i < shape.size(); i++) fits = array.shape(i) == shape[i];
        expect(fits, "expected weights whose shapes fit the trunk");
        return array.data();
    }

    void end() const { expect(at_ == arrays_.size(), "expected fewer arrays"); }

  private:
    const Arrays& arrays_;
    size_t at_ = 0;
};

TrainingTrunk* trunk(const std::vector<std::pair<Table, Planes>>& tables, int sites, int width, int channels) {
    expect(sites > 0 && width > 0 && channels > 0 && width % kernels()->lanes == 0 && channels % kernels()->lanes == 0,
           "expected sites, and channels in multiples of a vector");
    std::vector<Links> links;
    int in = sites;
    for (const auto& [read, plane] : tables) {
        links.push_back(links_from(read, plane, in));
        in = static_cast<int>(read.shape(0));
    }
    expect(!links.empty() && in == sites, "expected convolutions from the sites to themselves");
    return new TrainingTrunk(std::move(links), sites, width, channels, kernels());
}

nb::tuple forward(const TrainingTrunk& self, Array<float, 3> x, const Arrays& parameters, const Arrays& statistics,
                  const std::vector<float>& shares, float epsilon, bool keep, int threads) {
    const size_t width = self.width, channels = self.channels, steps = self.steps.size();
    expect(static_cast<int>(x.shape(0)) == self.sites && x.shape(2) == width && x.shape(1) > 0,
           "expected [sites, shots, width] as the trunk's");
    expect(static_cast<int64_t>(x.shape(1)) < (int64_t{1} << 24), "expected fewer shots");
    Reader reader(parameters), fixed(statistics);
    auto norm = [&](size_t size) {
        NormWeights found{reader.next({size}), reader.next({size}), nullptr, nullptr};
        if (!statistics.empty()) found.mean = fixed.next({size}), found.variance = fixed.next({size});
        return found;
    };
    std::vector<BlockWeights> blocks;
    for (float share : shares) {
        BlockWeights block;
        block.share = share;
        block.norms.push_back(norm(width));
        for (size_t i = 0; i <= steps; i++) block.norms.push_back(norm(channels));
        block.down = reader.next({channels, width});
        for (const TrainingStep& step : self.steps)
            block.convolutions.push_back(reader.next({step.planes * channels, step.relations * channels}));
        block.up = reader.next({width, channels});
        blocks.push_back(block);
    }
    const NormWeights last = norm(width);
    reader.end();
    fixed.end();
    Buffer y(x.size());
    std::vector<NormUsed> used;
    auto saved = keep ? std::make_shared<Saved>() : nullptr;
    {
        nb::gil_scoped_release release;
        self.forward(x.data(), static_cast<int>(x.shape(1)), blocks, last, epsilon, y.data(), used, saved.get(),
                     threads);
    }
    nb::list found;
    for (NormUsed& one : used) {
        const size_t size = one.mean.size();
        found.append(
            nb::make_tuple(given_away(std::move(one.mean), {size}), given_away(std::move(one.variance), {size})));
    }
    return nb::make_tuple(given_away(std::move(y), {x.shape(0), x.shape(1), x.shape(2)}), found, saved);
}

nb::tuple backward(const TrainingTrunk& self, Array<float, 3> dy, std::shared_ptr<Saved> saved, int threads) {
    expect(saved && static_cast<int>(dy.shape(0)) == self.sites && static_cast<int>(dy.shape(1)) == saved->shots &&
               static_cast<int>(dy.shape(2)) == self.width,
           "expected a gradient of the result's shape");
    Buffer dx(dy.size());
    std::vector<BlockGradients> blocks;
    std::pair<Floats, Floats> last;
    {
        nb::gil_scoped_release release;
        self.backward(dy.data(), *saved, dx.data(), blocks, last, threads);
    }
    const size_t width = self.width, channels = self.channels;
    nb::list found;
    for (BlockGradients& block : blocks) {
        for (auto& [gamma, beta] : block.norms) {
            const size_t size = gamma.size();
            found.append(given_away(std::move(gamma), {size}));
            found.append(given_away(std::move(beta), {size}));
        }
        found.append(given_away(std::move(block.down), {channels, width}));
        for (size_t i = 0; i < self.steps.size(); i++)
            found.append(given_away(std::move(block.convolutions[i]),
                                    {self.steps[i].planes * channels, self.steps[i].relations * channels}));
        found.append(given_away(std::move(block.up), {width, channels}));
    }
    found.append(given_away(std::move(last.first), {width}));
    found.append(given_away(std::move(last.second), {width}));
    return nb::make_tuple(given_away(std::move(dx), {dy.shape(0), dy.shape(1), dy.shape(2)}), found);
}

void expect_shapes(const TrainingConvolution& self, const Array<float, 3>& x, const Array<float, 3>& weight) {
    expect(static_cast<int>(x.shape(0)) == self.step.sites_in && x.shape(1) > 0 && x.shape(1) < (size_t{1} << 24),
           "expected as many sites as the table reads");
    expect(static_cast<int>(weight.shape(0)) == self.step.planes && weight.shape(2) == self.step.relations * x.shape(2),
           "expected weights that fit the table and what it reads");
    expect(
        x.shape(2) > 0 && weight.shape(1) > 0 && x.shape(2) % self.lanes() == 0 && weight.shape(1) % self.lanes() == 0,
        "expected channels in multiples of a vector");
}

nb::ndarray<nb::numpy, float> convolved(const TrainingConvolution& self, Array<float, 3> x, Array<float, 3> weight,
                                        int threads) {
    expect_shapes(self, x, weight);
    const size_t sites = self.step.sites_out, shots = x.shape(1), outer = weight.shape(1);
    Buffer y(sites * shots * outer);
    {
        nb::gil_scoped_release release;
        self.forward(x.data(), static_cast<int>(x.shape(2)), weight.data(), static_cast<int>(outer),
                     static_cast<int>(shots), y.data(), threads);
    }
    return given_away(std::move(y), {sites, shots, outer});
}

nb::tuple convolution_gradients(const TrainingConvolution& self, Array<float, 3> x, Array<float, 3> weight,
                                Array<float, 3> dy, int threads) {
    expect_shapes(self, x, weight);
    expect(static_cast<int>(dy.shape(0)) == self.step.sites_out && dy.shape(1) == x.shape(1) &&
               dy.shape(2) == weight.shape(1),
           "expected a gradient of the result's shape");
    Buffer dx(x.size()), of_weight(weight.size());
    {
        nb::gil_scoped_release release;
        self.backward(x.data(), static_cast<int>(x.shape(2)), weight.data(), static_cast<int>(weight.shape(1)),
                      dy.data(), static_cast<int>(x.shape(1)), dx.data(), of_weight.data(), threads);
    }
    return nb::make_tuple(given_away(std::move(dx), {x.shape(0), x.shape(1), x.shape(2)}),
                          given_away(std::move(of_weight), {weight.shape(0), weight.shape(1), weight.shape(2)}));
}

}  // namespace

void bind_training(nb::module_& m) {
    nb::class_<Saved>(m, "Saved");
    nb::class_<TrainingConvolution>(m, "TrainingConvolution")
        .def(nb::new_([](Table read, Planes plane, int sites_in) {
                 return new TrainingConvolution(links_from(read, plane, sites_in), kernels());
             }),
             nb::arg("read"), nb::arg("plane"), nb::kw_only(), nb::arg("sites_in"))
        .def("forward", &convolved, nb::arg("x"), nb::arg("weight"), nb::kw_only(), nb::arg("threads") = 1)
        .def("backward", &convolution_gradients, nb::arg("x"), nb::arg("weight"), nb::arg("dy"), nb::kw_only(),
             nb::arg("threads") = 1);
    nb::class_<TrainingTrunk>(m, "TrainingTrunk")
        .def(nb::new_(&trunk), nb::arg("tables"), nb::kw_only(), nb::arg("sites"), nb::arg("width"),
             nb::arg("channels"))
        .def("forward", &forward, nb::arg("x"), nb::arg("parameters"), nb::arg("statistics"), nb::arg("shares"),
             nb::kw_only(), nb::arg("epsilon"), nb::arg("keep"), nb::arg("threads") = 1)
        .def("backward", &backward, nb::arg("dy"), nb::arg("saved"), nb::kw_only(), nb::arg("threads") = 1);
}

}  // namespace cascade
