#include "training.h"

#include <algorithm>
#include <cmath>
#include <thread>

#include "packing.h"

namespace cascade {

namespace {

constexpr size_t CACHED = 49152;  // bytes of a few sites, of which a dozen neighbours stay in a core's second cache
constexpr int BLOCK = 32;         // rows that go through several operations while they are in a core's first cache

// Splits 0..count into a run for each thread; body(thread, start, stop).
template <class Body>
void parallel(size_t count, int threads, Body body) {
    threads = static_cast<int>(std::min<size_t>(std::max(threads, 1), std::max<size_t>(count, 1)));
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; thread++)
        others.emplace_back([&, thread] { body(thread, count * thread / threads, count * (thread + 1) / threads); });
    body(0, 0, count / threads);
    for (std::thread& other : others) other.join();
}

// Runs of 0..count shared out among threads, each with sums of its own, which are added in their order.
template <class Body>
std::vector<double> with_sums(size_t count, int threads, size_t sums, Body body) {
    std::vector<std::vector<double>> parts(std::max(threads, 1), std::vector<double>(sums, 0.0));
    parallel(count, threads, [&](int thread, size_t start, size_t stop) {
        for (size_t i = start; i < stop; i++) body(i, parts[thread].data(), thread);
    });
    for (size_t thread = 1; thread < parts.size(); thread++)
        for (size_t i = 0; i < sums; i++) parts[0][i] += parts[thread][i];
    return parts[0];
}

// A few shots of a site.
struct Rows {
    size_t row;  // of [sites, shots]
    size_t laid;  // the same where shots are INPUTS to a row
    int count;
};

int blocks_of(int shots) { return (shots + BLOCK - 1) / BLOCK; }

template <class Number>
int tiers_of(int shots) {
    return (shots + INPUTS<Number> - 1) / INPUTS<Number>;
}

// The block of a site's shots.
template <class Number>
Rows rows_of(size_t site, int block, int shots) {
    const int shot = block * BLOCK;
    return {site * shots + shot, (site * tiers_of<Number>(shots) + shot / INPUTS<Number>)*INPUTS<Number>,
            std::min(BLOCK, shots - shot)};
}

// Calls body(rows, sums, thread) for all blocks of the shots of all sites.
template <class Number, class Body>
std::vector<double> rows_with_sums(int sites, int shots, int threads, size_t sums, Body body) {
    const int blocks = blocks_of(shots);
    return with_sums(static_cast<size_t>(sites) * blocks, threads, sums, [&](size_t i, double* of, int thread) {
        body(rows_of<Number>(i / blocks, static_cast<int>(i % blocks), shots), of, thread);
    });
}

// Gradients of weights that each thread sums for itself.
class Parts {
  public:
    Parts(int threads, size_t size) : parts_(std::max(threads, 1), Floats(size, 0.f)) {}

    float* operator[](int thread) { return parts_[thread].data(); }

    Floats sum() {
        for (size_t thread = 1; thread < parts_.size(); thread++)
            for (size_t i = 0; i < parts_[0].size(); i++) parts_[0][i] += parts_[thread][i];
        return std::move(parts_[0]);
    }

  private:
    std::vector<Floats> parts_;
};

// A buffer with zeros behind it.
template <class Number>
Buffer<Number> with_zeros(size_t size, size_t zeros) {
    Buffer<Number> made(size + zeros);
    std::fill(made.begin() + static_cast<ptrdiff_t>(size), made.end(), Number{});
    return made;
}

Floats copied(const float* from, size_t size, float times = 1) {
    Floats to(from, from + size);
    for (float& w : to) w *= times;
    return to;
}

Floats transposed(const float* from, int rows, int columns, float times = 1) {
    Floats to(static_cast<size_t>(rows) * columns);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            to[static_cast<size_t>(j) * rows + i] = times * from[static_cast<size_t>(i) * columns + j];
    return to;
}

// From [planes, outer, relations, inner], as PyTorch has it, to matrices of [inner, outer] for each plane and relation,
// or of [outer, inner].
template <class Number>
Numbers<Number> by_relation(const TrainingStep& step, const float* weight, int inner, int outer, bool turned) {
    Floats to(static_cast<size_t>(step.planes) * step.relations * inner * outer);
    for (int plane = 0; plane < step.planes; plane++)
        for (int o = 0; o < outer; o++)
            for (int r = 0; r < step.relations; r++) {
                const float* from = weight + ((static_cast<size_t>(plane) * outer + o) * step.relations + r) * inner;
                float* matrix = &to[(static_cast<size_t>(plane) * step.relations + r) * inner * outer];
                for (int c = 0; c < inner; c++) matrix[turned ? o * inner + c : c * outer + o] = from[c];
            }
    return packed<Number>(std::move(to), turned ? outer : inner, turned ? inner : outer);
}

// Calls `behind(rows, sums)` for what has just been written, while it is in a cache.
template <class Number, class Behind>
std::vector<double> convolve(const Training<Number>& use, const Groups& groups, int shots, const Number* x, int inner,
                             const Numbers<Number>& weight, int outer, Number* y, int threads, size_t sums,
                             Behind behind) {
    const std::vector<Group>& all = groups.of(shots, use.rows);
    return with_sums(all.size(), threads, sums, [&](size_t i, double* of, int) {
        use.convolve(&all[i], 1, shots, x, inner, weight.data(), outer, y);
        for (int site = 0; site < all[i].sites; site++)
            for (int block = 0; block < blocks_of(shots); block++)
                behind(rows_of<Number>(all[i].site[site], block, shots), of);
    });
}

// The gradient to the weight as PyTorch has it, from a few sites at a time, so that what they read stays in a cache.
// Both x and dy are laid for outer products.
template <class Number>
void weight_gradient(const Training<Number>& use, const TrainingStep& step, const Number* x, int inner,
                     const Number* dy, int outer, int shots, float* of_weight, int threads) {
    const int size = inner * outer, tiers = tiers_of<Number>(shots),
              at_once = std::max(1, static_cast<int>(CACHED / (sizeof(Number) * shots * inner)));
    Parts parts(threads, step.pairs.size() * size);
    parallel(step.sites_out, threads, [&](int thread, size_t start, size_t stop) {
        std::vector<size_t> at;
        for (const auto& [from, to] : step.pairs)
            at.push_back(std::lower_bound(to.begin(), to.end(), static_cast<int32_t>(start)) - to.begin());
        for (size_t site = start; site < stop; site += at_once) {
            const int32_t end = static_cast<int32_t>(std::min<size_t>(site + at_once, stop));
            for (size_t matrix = 0; matrix < step.pairs.size(); matrix++) {
                const auto& [from, to] = step.pairs[matrix];
                const size_t first = at[matrix];
                while (at[matrix] < to.size() && to[at[matrix]] < end) at[matrix]++;
                const Pairs pairs{from.data() + first, to.data() + first, static_cast<int>(at[matrix] - first)};
                if (pairs.count) use.outer_product(pairs, tiers, x, inner, dy, outer, parts[thread] + matrix * size);
            }
        }
    });
    const Floats sum = parts.sum();
    for (int plane = 0; plane < step.planes; plane++)
        for (int r = 0; r < step.relations; r++)
            for (int c = 0; c < inner; c++)
                for (int o = 0; o < outer; o++)
                    of_weight[((static_cast<size_t>(plane) * outer + o) * step.relations + r) * inner + c] =
                        sum[((static_cast<size_t>(plane) * step.relations + r) * inner + c) * outer + o];
}

NormUsed used_norm(const NormWeights& norm, const std::vector<double>& sums, size_t rows, int channels, float epsilon) {
    NormUsed used;
    for (Floats* part : {&used.scale, &used.shift, &used.deviation, &used.offset, &used.mean, &used.variance})
        part->resize(channels);
    for (int c = 0; c < channels; c++) {
        double mean, variance;
        if (norm.mean) {
            mean = norm.mean[c], variance = norm.variance[c];
        } else {
            mean = sums[c] / rows;
            variance = std::max(sums[channels + c] / rows - mean * mean, 0.0);
        }
        const double deviation = 1 / std::sqrt(variance + epsilon);
        used.mean[c] = static_cast<float>(mean), used.variance[c] = static_cast<float>(variance);
        used.deviation[c] = static_cast<float>(deviation), used.offset[c] = static_cast<float>(-mean * deviation);
        used.scale[c] = static_cast<float>(norm.gamma[c] * deviation);
        used.shift[c] = static_cast<float>(norm.beta[c] - mean * norm.gamma[c] * deviation);
    }
    return used;
}

// Of scale (dz - mean of dz - x normalised * mean of dz times x normalised), by what dz and x are multiplied.
struct Linear {
    Linear() = default;

    Linear(const Norm& norm, const std::vector<double>& sums, size_t rows, int channels)
        : of_dz(norm.scale, norm.scale + channels), of_x(channels), constant(channels) {
        for (int c = 0; c < channels; c++) {
            const double along = sums[channels + c] / rows;
            of_x[c] = static_cast<float>(-norm.scale[c] * along * norm.deviation[c]);
            constant[c] = static_cast<float>(-norm.scale[c] * (sums[c] / rows + along * norm.offset[c]));
        }
    }

    NormGradient view() const { return {of_dz.data(), of_x.data(), constant.data()}; }

    Floats of_dz, of_x, constant;
};

// Gradients to gamma and beta.
std::pair<Floats, Floats> affine(const std::vector<double>& sums, int channels) {
    std::pair<Floats, Floats> found{Floats(channels), Floats(channels)};
    for (int c = 0; c < channels; c++) {
        found.first[c] = static_cast<float>(sums[channels + c]);
        found.second[c] = static_cast<float>(sums[c]);
    }
    return found;
}

// Rows of a stream as products take them: themselves, or rounded into a scratch.
template <class Number>
const Number* operands(const Training<Number>& use, const float* x, size_t count, Number* scratch) {
    if constexpr (std::is_same_v<Number, float>) {
        return x;
    } else {
        use.round(x, count, scratch);
        return scratch;
    }
}

// Rows as an outer product takes them: themselves where it takes one at a time, or laid into a scratch.
template <class Number>
const Number* laid(const Training<Number>& use, const Number* x, int rows, int channels, Number* scratch) {
    if constexpr (INPUTS<Number> == 1) {
        return x;
    } else {
        use.lay(x, rows, channels, scratch);
        return scratch;
    }
}

// What a block of rows needs on its way through several operations.
template <class Number>
struct Scratch {
    explicit Scratch(int channels)
        : gradient(static_cast<size_t>(BLOCK) * channels),
          rounded(gradient.size()),
          activated(gradient.size()),
          laid(gradient.size()),
          laid_too(gradient.size()) {}

    Floats gradient;
    Numbers<Number> rounded, activated, laid, laid_too;
};

const int32_t ZERO = 0;
const Pairs ONE_SITE{&ZERO, &ZERO, 1};  // rows one after the other, as if they were the shots of one site

}  // namespace

// The gradient to the stream, of which the last step through a norm is still to do: it waits for that norm's means.
template <class Number>
struct TrainingTrunk<Number>::Wide {
    Buffer<float> stream;
    Buffer<Number> dz;  // behind the norm
    const Number* x;    // that it read
    Linear norm;

    float* finish(const Training<Number>& use, const Rows& at, int width) {
        const size_t first = at.row * width;
        use.add_norm_gradient(&dz[first], x + first, norm.view(), at.count, width, &stream[first]);
        return &stream[first];
    }
};

template <class Number>
TrainingTrunk<Number>::TrainingTrunk(std::vector<Links> links, int sites, int width, int channels,
                                     const Training<Number>* use)
    : sites(sites), width(width), channels(channels), use_(use) {
    for (const Links& one : links) steps.emplace_back(one, use->rows);
}

template <class Number>
void TrainingTrunk<Number>::forward(const Number* begin, int shots, const std::vector<BlockWeights>& blocks,
                                    const NormWeights& last, float epsilon, Number* y, std::vector<NormUsed>& used,
                                    Saved<Number>* saved, int threads) const {
    const size_t rows = static_cast<size_t>(sites) * shots, zeros = static_cast<size_t>(shots) * channels;
    const Floats nothing(channels, 0.f);
    const bool fixed = last.mean;
    std::vector<Scratch<Number>> scratch(std::max(threads, 1), Scratch<Number>(std::max(width, channels)));
    Buffer<float> x(rows * width);
    std::vector<double> sums =
        rows_with_sums<Number>(sites, shots, threads, 2 * width, [&](const Rows& at, double* of, int) {
            float* stream = &x[at.row * width];
            use_->widen(begin + at.row * width, static_cast<size_t>(at.count) * width, stream);
            if (!fixed) use_->moments(stream, at.count, width, of);
        });

    for (const BlockWeights& block : blocks) {
        typename Saved<Number>::OfBlock kept;
        const Numbers<Number> down = packed<Number>(transposed(block.down, channels, width), width, channels);
        kept.norms.push_back(used_norm(block.norms[0], sums, rows, width, epsilon));
        kept.x.resize(saved ? x.size() : 0);
        Buffer<Number> narrow(rows * channels);
        sums = rows_with_sums<Number>(
            sites, shots, threads, 2 * channels, [&](const Rows& at, double* of, int thread) {
                const NormUsed& norm = kept.norms[0];
                const float* stream = &x[at.row * width];
                Number *gated = scratch[thread].activated.data(), *out = &narrow[at.row * channels];
                if (saved) use_->round(stream, static_cast<size_t>(at.count) * width, &kept.x[at.row * width]);
                use_->gate(stream, norm.scale.data(), norm.shift.data(), at.count, width, gated);
                use_->narrow(gated, at.count, width, down.data(), nothing.data(), channels, out);
                if (!fixed) use_->moments_of_kept(out, at.count, channels, of);
            });

        for (size_t i = 0; i < steps.size(); i++) {
            const TrainingStep& step = steps[i];
            const size_t rows_in = static_cast<size_t>(step.sites_in) * shots,
                         rows_out = static_cast<size_t>(step.sites_out) * shots;
            kept.norms.push_back(used_norm(block.norms[i + 1], sums, rows_in, channels, epsilon));
            const NormUsed& norm = kept.norms.back();
            constexpr int ONCE = INPUTS<Number>;
            const size_t rows_laid = static_cast<size_t>(step.sites_in) * tiers_of<Number>(shots) * ONCE;
            Buffer<Number> activated = with_zeros<Number>(rows_in * channels, zeros),
                           laid(saved && ONCE > 1 ? rows_laid * channels : 0);
            rows_with_sums<Number>(step.sites_in, shots, threads, 0, [&](const Rows& at, double*, int) {
                Number* to = &activated[at.row * channels];
                use_->gate_kept(&narrow[at.row * channels], norm.scale.data(), norm.shift.data(), at.count, channels,
                                to);
                if (!laid.empty()) use_->lay(to, at.count, channels, &laid[at.laid * channels]);
            });
            Buffer<Number> out(rows_out * channels);
            const float* given = block.convolutions[i];
            sums = convolve(*use_, step.forward, shots, activated.data(), channels,
                            by_relation<Number>(step, given, channels, channels, false), channels, out.data(), threads,
                            2 * channels, [&](const Rows& at, double* of) {
                                if (!fixed) use_->moments_of_kept(&out[at.row * channels], at.count, channels, of);
                            });
            if (saved) {
                kept.narrow.push_back(std::move(narrow));
                kept.activated.push_back(std::move(ONCE > 1 ? laid : activated));
                kept.convolutions.push_back(by_relation<Number>(step, given, channels, channels, true));
            }
            narrow = std::move(out);
        }

        kept.norms.push_back(used_norm(block.norms.back(), sums, rows, channels, epsilon));
        const Numbers<Number> up =
            packed<Number>(transposed(block.up, width, channels, block.share), channels, width);
        if (saved) {
            const size_t size = static_cast<size_t>(channels) * width;
            kept.down = packed<Number>(copied(block.down, size), channels, width);
            kept.up = packed<Number>(copied(block.up, size, block.share), width, channels);
            kept.share = block.share;
        }
        sums = rows_with_sums<Number>(sites, shots, threads, 2 * width, [&](const Rows& at, double* of, int thread) {
            const NormUsed& norm = kept.norms.back();
            Number* gated = scratch[thread].activated.data();
            float* stream = &x[at.row * width];
            use_->gate_kept(&narrow[at.row * channels], norm.scale.data(), norm.shift.data(), at.count, channels,
                            gated);
            use_->product(gated, at.count, channels, up.data(), nullptr, width, stream);
            if (!fixed) use_->moments(stream, at.count, width, of);
        });
        used.insert(used.end(), kept.norms.begin(), kept.norms.end());
        if (saved) kept.narrow.push_back(std::move(narrow)), saved->blocks.push_back(std::move(kept));
    }

    const NormUsed norm = used_norm(last, sums, rows, width, epsilon);
    if (saved) saved->x.resize(x.size()), saved->last = norm, saved->shots = shots;
    rows_with_sums<Number>(sites, shots, threads, 0, [&](const Rows& at, double*, int) {
        const float* stream = &x[at.row * width];
        use_->gate(stream, norm.scale.data(), norm.shift.data(), at.count, width, y + at.row * width);
        if (saved) use_->round(stream, static_cast<size_t>(at.count) * width, &saved->x[at.row * width]);
    });
    used.push_back(norm);
}

template <class Number>
void TrainingTrunk<Number>::backward(const Number* dy, const Saved<Number>& saved, Number* dx,
                                     std::vector<BlockGradients>& blocks, std::pair<Floats, Floats>& last,
                                     int threads) const {
    const int shots = saved.shots;
    const size_t rows = static_cast<size_t>(sites) * shots;
    Wide wide{Buffer<float>(), Buffer<Number>(rows * width), saved.x.data(), Linear()};
    wide.stream.assign(rows * width, 0.f);
    const Norm norm = saved.last.view();
    const std::vector<double> sums =
        rows_with_sums<Number>(sites, shots, threads, 2 * width, [&](const Rows& at, double* of, int) {
            const size_t first = at.row * width;
            use_->gate_gradient_of_kept(dy + first, &saved.x[first], norm, at.count, width, &wide.dz[first], nullptr,
                                        of);
        });
    last = affine(sums, width);
    wide.norm = Linear(norm, sums, rows, width);
    blocks.resize(saved.blocks.size());
    for (size_t i = saved.blocks.size(); i-- > 0;) block_backward(saved.blocks[i], shots, wide, blocks[i], threads);
    rows_with_sums<Number>(sites, shots, threads, 0, [&](const Rows& at, double*, int) {
        use_->round(wide.finish(*use_, at, width), static_cast<size_t>(at.count) * width, dx + at.row * width);
    });
}

template <class Number>
void TrainingTrunk<Number>::block_backward(const typename Saved<Number>::OfBlock& saved, int shots, Wide& wide,
                                           BlockGradients& gradients, int threads) const {
    const size_t rows = static_cast<size_t>(sites) * shots, zeros = static_cast<size_t>(shots) * channels;
    const Floats nothing(std::max(width, channels), 0.f);
    std::vector<Scratch<Number>> scratch(std::max(threads, 1), Scratch<Number>(std::max(width, channels)));

    Parts up(threads, static_cast<size_t>(width) * channels);
    Buffer<Number> dz = with_zeros<Number>(rows * channels, zeros);
    Norm norm = saved.norms.back().view();
    std::vector<double> sums =
        rows_with_sums<Number>(sites, shots, threads, 2 * channels, [&](const Rows& at, double* of, int thread) {
            Scratch<Number>& use = scratch[thread];
            const float* stream = wide.finish(*use_, at, width);
            const Number* d = operands(*use_, stream, static_cast<size_t>(at.count) * width, use.rounded.data());
            use_->product(d, at.count, width, saved.up.data(), nothing.data(), channels, use.gradient.data());
            use_->gate_gradient(use.gradient.data(), &saved.narrow.back()[at.row * channels], norm, at.count,
                                channels, &dz[at.row * channels], use.activated.data(), of);
            use_->outer_product(ONE_SITE, tiers_of<Number>(at.count),
                                laid(*use_, d, at.count, width, use.laid.data()), width,
                                laid(*use_, use.activated.data(), at.count, channels, use.laid_too.data()), channels,
                                up[thread]);
        });
    gradients.up = up.sum();
    for (float& w : gradients.up) w *= saved.share;

    gradients.norms.resize(saved.norms.size());
    gradients.convolutions.resize(steps.size());
    for (size_t i = steps.size(); i-- > 0;) {
        const TrainingStep& step = steps[i];
        const size_t rows_out = static_cast<size_t>(step.sites_out) * shots,
                     rows_in = static_cast<size_t>(step.sites_in) * shots;
        gradients.norms[i + 2] = affine(sums, channels);
        const Linear through(saved.norms[i + 2].view(), sums, rows_out, channels);
        constexpr int ONCE = INPUTS<Number>;
        const size_t rows_laid = static_cast<size_t>(step.sites_out) * tiers_of<Number>(shots) * ONCE;
        Buffer<Number> pairs(ONCE > 1 ? rows_laid * channels : 0);
        rows_with_sums<Number>(step.sites_out, shots, threads, 0, [&](const Rows& at, double*, int) {
            Number* d = &dz[at.row * channels];
            use_->norm_gradient(d, &saved.narrow[i + 1][at.row * channels], through.view(), at.count, channels, d);
            if (ONCE > 1) use_->lay(d, at.count, channels, &pairs[at.laid * channels]);
        });

        gradients.convolutions[i].resize(saved.convolutions[i].size());
        weight_gradient(*use_, step, saved.activated[i].data(), channels, ONCE > 1 ? pairs.data() : dz.data(),
                        channels, shots, gradients.convolutions[i].data(), threads);

        Buffer<Number> read = with_zeros<Number>(rows_in * channels, zeros);
        norm = saved.norms[i + 1].view();
        sums = convolve(*use_, step.backward, shots, dz.data(), channels, saved.convolutions[i], channels, read.data(),
                        threads, 2 * channels, [&](const Rows& at, double* of) {
                            Number* d = &read[at.row * channels];
                            use_->gate_gradient_of_kept(d, &saved.narrow[i][at.row * channels], norm, at.count,
                                                        channels, d, nullptr, of);
                        });
        dz = std::move(read);
    }

    gradients.norms[1] = affine(sums, channels);
    const Linear through(saved.norms[1].view(), sums, rows, channels);
    norm = saved.norms[0].view(), wide.x = saved.x.data();
    Parts down(threads, static_cast<size_t>(channels) * width);
    sums = rows_with_sums<Number>(
        sites, shots, threads, 2 * width, [&](const Rows& at, double* of, int thread) {
            Scratch<Number>& use = scratch[thread];
            Number* d = &dz[at.row * channels];
            use_->norm_gradient(d, &saved.narrow[0][at.row * channels], through.view(), at.count, channels, d);
            use_->product(d, at.count, channels, saved.down.data(), nothing.data(), width, use.gradient.data());
            use_->gate_gradient(use.gradient.data(), &saved.x[at.row * width], norm, at.count, width,
                                &wide.dz[at.row * width], use.activated.data(), of);
            use_->outer_product(ONE_SITE, tiers_of<Number>(at.count),
                                laid(*use_, d, at.count, channels, use.laid.data()), channels,
                                laid(*use_, use.activated.data(), at.count, width, use.laid_too.data()), width,
                                down[thread]);
        });
    gradients.down = down.sum();
    gradients.norms[0] = affine(sums, width);
    wide.norm = Linear(norm, sums, rows, width);
}

namespace {

// The same with a row of zeros behind it, where tiles of several sites may read that.
template <class Number>
Buffer<Number> read_by_tiles(const Number* x, size_t size, int shots, int channels, const Training<Number>& use) {
    if (shots >= use.rows) return {};
    Buffer<Number> copy = with_zeros<Number>(size, static_cast<size_t>(shots) * channels);
    std::copy_n(x, size, copy.begin());
    return copy;
}

// The rows of all sites as outer products take them; empty where that is as they are.
template <class Number>
Buffer<Number> all_laid(const Training<Number>& use, const Number* x, int sites, int shots, int channels,
                        int threads) {
    if (INPUTS<Number> == 1) return {};
    Buffer<Number> to(static_cast<size_t>(sites) * tiers_of<Number>(shots) * INPUTS<Number> * channels);
    rows_with_sums<Number>(sites, shots, threads, 0, [&](const Rows& at, double*, int) {
        use.lay(x + at.row * channels, at.count, channels, &to[at.laid * channels]);
    });
    return to;
}

void nothing_behind(const Rows&, double*) {}

}  // namespace

template <class Number>
void TrainingConvolution<Number>::forward(const Number* x, int inner, const float* weight, int outer, int shots,
                                          Number* y, int threads) const {
    const Buffer<Number> copy =
        read_by_tiles(x, static_cast<size_t>(step.sites_in) * shots * inner, shots, inner, *use_);
    convolve(*use_, step.forward, shots, copy.empty() ? x : copy.data(), inner,
             by_relation<Number>(step, weight, inner, outer, false), outer, y, threads, 0, nothing_behind);
}

template <class Number>
void TrainingConvolution<Number>::backward(const Number* x, int inner, const float* weight, int outer,
                                           const Number* dy, int shots, Number* dx, float* of_weight,
                                           int threads) const {
    const Buffer<Number> copy =
        read_by_tiles(dy, static_cast<size_t>(step.sites_out) * shots * outer, shots, outer, *use_);
    convolve(*use_, step.backward, shots, copy.empty() ? dy : copy.data(), outer,
             by_relation<Number>(step, weight, inner, outer, true), inner, dx, threads, 0, nothing_behind);
    const Buffer<Number> x_laid = all_laid(*use_, x, step.sites_in, shots, inner, threads),
                         dy_laid = all_laid(*use_, dy, step.sites_out, shots, outer, threads);
    weight_gradient(*use_, step, x_laid.empty() ? x : x_laid.data(), inner, dy_laid.empty() ? dy : dy_laid.data(),
                    outer, shots, of_weight, threads);
}

template class TrainingTrunk<float>;
template class TrainingTrunk<Bfloat16>;
template class TrainingConvolution<float>;
template class TrainingConvolution<Bfloat16>;

}  // namespace cascade
