// The trunk's training pass, for Python.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/vector.h>

#include "binding.h"
#include "training.h"

namespace cascade {

namespace {

// Numbers as Python's arrays have them: NumPy knows no bfloat16.
template <class Number>
using Element = std::conditional_t<std::is_same_v<Number, float>, float, uint16_t>;

template <class Number>
using Activations = Array<Element<Number>, 3>;

template <class Number>
const Number* numbers(const Activations<Number>& of) {
    return reinterpret_cast<const Number*>(of.data());
}

// An array to be written, which Python frees.
template <class Number>
struct Made {
    explicit Made(std::vector<size_t> of) : shape(std::move(of)), kept(shape[0] * shape[1] * shape[2]) {}

    Number* data() { return reinterpret_cast<Number*>(kept.data()); }
    auto given() { return given_away(std::move(kept), shape); }

    std::vector<size_t> shape;
    Buffer<Element<Number>> kept;
};

// What trains with these numbers here.
template <class Number>
const Training<Number>* training() {
    if constexpr (std::is_same_v<Number, float>) {
        return &kernels()->training;
    } else {
        expect(bfloat16_training(), "expected a chip that multiplies bfloat16");
        return bfloat16_training();
    }
}

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

template <class Number>
TrainingTrunk<Number>* trunk(const std::vector<std::pair<Table, Planes>>& tables, int sites, int width, int channels) {
    expect(sites > 0 && width > 0 && channels > 0 && width % kernels()->lanes == 0 && channels % kernels()->lanes == 0,
           "expected sites, and channels in multiples of a vector");
    std::vector<Links> links;
    int in = sites;
    for (const auto& [read, plane] : tables) {
        links.push_back(links_from(read, plane, in));
        in = static_cast<int>(read.shape(0));
    }
    expect(!links.empty() && in == sites, "expected convolutions from the sites to themselves");
    return new TrainingTrunk<Number>(std::move(links), sites, width, channels, training<Number>());
}

template <class Number>
nb::tuple forward(const TrainingTrunk<Number>& self, Activations<Number> x, const Arrays& parameters,
                  const Arrays& statistics, const std::vector<float>& shares, float epsilon, bool keep, int threads) {
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
    Made<Number> y({x.shape(0), x.shape(1), x.shape(2)});
    std::vector<NormUsed> used;
    auto saved = keep ? std::make_shared<Saved<Number>>() : nullptr;
    {
        nb::gil_scoped_release release;
        self.forward(numbers<Number>(x), static_cast<int>(x.shape(1)), blocks, last, epsilon, y.data(), used,
                     saved.get(), threads);
    }
    nb::list found;
    for (NormUsed& one : used) {
        const size_t size = one.mean.size();
        found.append(
            nb::make_tuple(given_away(std::move(one.mean), {size}), given_away(std::move(one.variance), {size})));
    }
    return nb::make_tuple(y.given(), found, saved);
}

template <class Number>
nb::tuple backward(const TrainingTrunk<Number>& self, Activations<Number> dy, std::shared_ptr<Saved<Number>> saved,
                   int threads) {
    expect(saved && static_cast<int>(dy.shape(0)) == self.sites && static_cast<int>(dy.shape(1)) == saved->shots &&
               static_cast<int>(dy.shape(2)) == self.width,
           "expected a gradient of the result's shape");
    Made<Number> dx({dy.shape(0), dy.shape(1), dy.shape(2)});
    std::vector<BlockGradients> blocks;
    std::pair<Floats, Floats> last;
    {
        nb::gil_scoped_release release;
        self.backward(numbers<Number>(dy), *saved, dx.data(), blocks, last, threads);
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
    return nb::make_tuple(dx.given(), found);
}

template <class Number>
void expect_shapes(const TrainingConvolution<Number>& self, const Activations<Number>& x,
                   const Array<float, 3>& weight) {
    const size_t lanes = kernels()->lanes;
    expect(static_cast<int>(x.shape(0)) == self.step.sites_in && x.shape(1) > 0 && x.shape(1) < (size_t{1} << 24),
           "expected as many sites as the table reads");
    expect(static_cast<int>(weight.shape(0)) == self.step.planes && weight.shape(2) == self.step.relations * x.shape(2),
           "expected weights that fit the table and what it reads");
    expect(x.shape(2) > 0 && weight.shape(1) > 0 && x.shape(2) % lanes == 0 && weight.shape(1) % lanes == 0,
           "expected channels in multiples of a vector");
}

template <class Number>
nb::object convolved(const TrainingConvolution<Number>& self, Activations<Number> x, Array<float, 3> weight,
                     int threads) {
    expect_shapes(self, x, weight);
    const size_t sites = self.step.sites_out, shots = x.shape(1), outer = weight.shape(1);
    Made<Number> y({sites, shots, outer});
    {
        nb::gil_scoped_release release;
        self.forward(numbers<Number>(x), static_cast<int>(x.shape(2)), weight.data(), static_cast<int>(outer),
                     static_cast<int>(shots), y.data(), threads);
    }
    return nb::cast(y.given());
}

template <class Number>
nb::tuple convolution_gradients(const TrainingConvolution<Number>& self, Activations<Number> x, Array<float, 3> weight,
                                Activations<Number> dy, int threads) {
    expect_shapes(self, x, weight);
    expect(static_cast<int>(dy.shape(0)) == self.step.sites_out && dy.shape(1) == x.shape(1) &&
               dy.shape(2) == weight.shape(1),
           "expected a gradient of the result's shape");
    Made<Number> dx({x.shape(0), x.shape(1), x.shape(2)});
    Made<float> of_weight({weight.shape(0), weight.shape(1), weight.shape(2)});
    {
        nb::gil_scoped_release release;
        self.backward(numbers<Number>(x), static_cast<int>(x.shape(2)), weight.data(),
                      static_cast<int>(weight.shape(1)), numbers<Number>(dy), static_cast<int>(x.shape(1)), dx.data(),
                      of_weight.data(), threads);
    }
    return nb::make_tuple(dx.given(), of_weight.given());
}

template <class Number>
void bind(nb::module_& m, const char* saved, const char* convolution, const char* whole) {
    nb::class_<Saved<Number>>(m, saved);
    nb::class_<TrainingConvolution<Number>>(m, convolution)
        .def(nb::new_([](Table read, Planes plane, int sites_in) {
                 return new TrainingConvolution<Number>(links_from(read, plane, sites_in), training<Number>());
             }),
             nb::arg("read"), nb::arg("plane"), nb::kw_only(), nb::arg("sites_in"))
        .def("forward", &convolved<Number>, nb::arg("x"), nb::arg("weight"), nb::kw_only(), nb::arg("threads") = 1)
        .def("backward", &convolution_gradients<Number>, nb::arg("x"), nb::arg("weight"), nb::arg("dy"), nb::kw_only(),
             nb::arg("threads") = 1);
    nb::class_<TrainingTrunk<Number>>(m, whole)
        .def(nb::new_(&trunk<Number>), nb::arg("tables"), nb::kw_only(), nb::arg("sites"), nb::arg("width"),
             nb::arg("channels"))
        .def("forward", &forward<Number>, nb::arg("x"), nb::arg("parameters"), nb::arg("statistics"),
             nb::arg("shares"), nb::kw_only(), nb::arg("epsilon"), nb::arg("keep"), nb::arg("threads") = 1)
        .def("backward", &backward<Number>, nb::arg("dy"), nb::arg("saved"), nb::kw_only(), nb::arg("threads") = 1);
}

}  // namespace

void bind_training(nb::module_& m) {
    bind<float>(m, "Saved", "TrainingConvolution", "TrainingTrunk");
    bind<Bfloat16>(m, "SavedBfloat16", "TrainingConvolutionBfloat16", "TrainingTrunkBfloat16");
}

}  // namespace cascade
