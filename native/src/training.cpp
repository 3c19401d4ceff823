#include "training.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

namespace cascade {

namespace {

constexpr size_t CACHED = 12288;  // floats of a few sites, of which a dozen neighbours stay in a core's second cache
constexpr int BLOCK = 24;         // rows that go through several operations while they are in a core's first cache

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

// Rows in blocks of BLOCK, shared out among threads, each with sums of its own, which are added in their order.
template <class Body>
std::vector<double> rows_with_sums(size_t rows, int threads, size_t sums, Body body) {
    std::vector<std::vector<double>> parts(std::max(threads, 1), std::vector<double>(sums, 0.0));
    parallel((rows + BLOCK - 1) / BLOCK, threads, [&](int thread, size_t start, size_t stop) {
        for (size_t block = start; block < stop; block++)
            body(block * BLOCK, static_cast<int>(std::min<size_t>(BLOCK, rows - block * BLOCK)), parts[thread].data(),
                 thread);
    });
    for (size_t thread = 1; thread < parts.size(); thread++)
        for (size_t i = 0; i < sums; i++) parts[0][i] += parts[thread][i];
    return parts[0];
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
Buffer with_zeros(size_t size, size_t zeros) {
    Buffer made(size + zeros);
    std::fill(made.begin() + static_cast<ptrdiff_t>(size), made.end(), 0.f);
    return made;
}

Floats transposed(const float* from, int rows, int columns, float times = 1) {
    Floats to(static_cast<size_t>(rows) * columns);
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++)
            to[static_cast<size_t>(j) * rows + i] = times * from[static_cast<size_t>(i) * columns + j];
    return to;
}

// From [planes, outer, relations, inner], as PyTorch has it, to [planes, relations, inner, outer] or [.., outer,
// inner].
Floats by_relation(const TrainingStep& step, const float* weight, int inner, int outer, bool turned) {
    Floats to(static_cast<size_t>(step.planes) * step.relations * inner * outer);
    for (int plane = 0; plane < step.planes; plane++)
        for (int o = 0; o < outer; o++)
            for (int r = 0; r < step.relations; r++) {
                const float* from = weight + ((static_cast<size_t>(plane) * outer + o) * step.relations + r) * inner;
                float* matrix = &to[(static_cast<size_t>(plane) * step.relations + r) * inner * outer];
                for (int c = 0; c < inner; c++) matrix[turned ? o * inner + c : c * outer + o] = from[c];
            }
    return to;
}

void convolve(const Kernels& use, const Groups& groups, int shots, const float* x, int inner, const Floats& weight,
              int outer, float* y, int threads) {
    const std::vector<Group>& all = groups.of(shots, use.rows);
    parallel(all.size(), threads, [&](int, size_t start, size_t stop) {
        use.convolve(all.data() + start, static_cast<int>(stop - start), shots, x, inner, weight.data(), outer, y);
    });
}

// The gradient to the weight as PyTorch has it, from a few sites at a time, so that what they read stays in a cache.
void weight_gradient(const Kernels& use, const TrainingStep& step, const float* x, int inner, const float* dy,
                     int outer, int shots, float* of_weight, int threads) {
    const int size = inner * outer,
              at_once = std::max(1, static_cast<int>(CACHED / (static_cast<size_t>(shots) * inner)));
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
                if (pairs.count) use.outer_product(pairs, shots, x, inner, dy, outer, parts[thread] + matrix * size);
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

std::pair<Floats, Floats> means(const std::vector<double>& sums, size_t rows, int channels) {
    Floats mean(channels), projection(channels);
    for (int c = 0; c < channels; c++) {
        mean[c] = static_cast<float>(sums[c] / rows);
        projection[c] = static_cast<float>(sums[channels + c] / rows);
    }
    return {mean, projection};
}

// Gradients to gamma and beta.
std::pair<Floats, Floats> affine(const std::vector<double>& sums, int channels) {
    std::pair<Floats, Floats> found{Floats(channels), Floats(channels)};
    for (int c = 0; c < channels; c++) {
        found.first[c] = static_cast<float>(sums[channels + c]);
        found.second[c] = static_cast<float>(sums[c]);
    }
    return found;
}

}  // namespace

TrainingTrunk::TrainingTrunk(std::vector<Links> links, int sites, int width, int channels, const Kernels* use)
    : sites(sites), width(width), channels(channels), use_(use) {
    for (const Links& one : links) steps.emplace_back(one, use->rows);
}

void TrainingTrunk::forward(const float* begin, int shots, const std::vector<BlockWeights>& blocks,
                            const NormWeights& last, float epsilon, float* y, std::vector<NormUsed>& used, Saved* saved,
                            int threads) const {
    const size_t rows = static_cast<size_t>(sites) * shots;
    const Floats nothing(std::max(width, channels), 0.f);
    Buffer x(begin, begin + rows * width);
    const bool fixed = last.mean;
    std::vector<double> sums;
    if (!fixed)
        sums = rows_with_sums(rows, threads, 2 * width, [&](size_t row, int count, double* of, int) {
            use_->moments(&x[row * width], count, width, of);
        });

    for (const BlockWeights& block : blocks) {
        Saved::OfBlock kept;
        const Floats down = transposed(block.down, channels, width);
        kept.norms.push_back(used_norm(block.norms[0], sums, rows, width, epsilon));
        Buffer narrow(rows * channels);
        std::vector<Floats> scratch(std::max(threads, 1),
                                    Floats(static_cast<size_t>(BLOCK) * std::max(width, channels)));
        sums = rows_with_sums(rows, threads, 2 * channels, [&](size_t row, int count, double* of, int thread) {
            const NormUsed& norm = kept.norms[0];
            float* gated = scratch[thread].data();
            use_->gate(&x[row * width], norm.scale.data(), norm.shift.data(), count, width, gated);
            use_->product(gated, count, width, down.data(), nothing.data(), channels, false, &narrow[row * channels]);
            if (!fixed) use_->moments(&narrow[row * channels], count, channels, of);
        });

        for (size_t i = 0; i < steps.size(); i++) {
            const TrainingStep& step = steps[i];
            const size_t rows_in = static_cast<size_t>(step.sites_in) * shots,
                         rows_out = static_cast<size_t>(step.sites_out) * shots;
            kept.norms.push_back(used_norm(block.norms[i + 1], sums, rows_in, channels, epsilon));
            const NormUsed& norm = kept.norms.back();
            Buffer activated = with_zeros(rows_in * channels, static_cast<size_t>(shots) * channels);
            rows_with_sums(rows_in, threads, 0, [&](size_t row, int count, double*, int) {
                use_->gate(&narrow[row * channels], norm.scale.data(), norm.shift.data(), count, channels,
                           &activated[row * channels]);
            });
            Buffer out(rows_out * channels);
            const float* given = block.convolutions[i];
            convolve(*use_, step.forward, shots, activated.data(), channels,
                     by_relation(step, given, channels, channels, false), channels, out.data(), threads);
            sums = rows_with_sums(fixed ? 0 : rows_out, threads, 2 * channels,
                                  [&](size_t row, int count, double* of, int) {
                                      use_->moments(&out[row * channels], count, channels, of);
                                  });
            if (saved) {
                kept.narrow.push_back(std::move(narrow));
                kept.activated.push_back(std::move(activated));
                kept.convolutions.push_back(by_relation(step, given, channels, channels, true));
            }
            narrow = std::move(out);
        }

        kept.norms.push_back(used_norm(block.norms.back(), sums, rows, channels, epsilon));
        const Floats up = transposed(block.up, width, channels, block.share);
        if (saved) {
            kept.down.assign(block.down, block.down + static_cast<size_t>(channels) * width);
            kept.up.assign(block.up, block.up + static_cast<size_t>(width) * channels);
            for (float& w : kept.up) w *= block.share;
            kept.share = block.share;
        }
        Buffer next(saved ? x.size() : 0);  // the backward pass reads x again
        Buffer& stream = saved ? next : x;
        sums = rows_with_sums(rows, threads, 2 * width, [&](size_t row, int count, double* of, int thread) {
            const NormUsed& norm = kept.norms.back();
            float *gated = scratch[thread].data(), *out = &stream[row * width];
            use_->gate(&narrow[row * channels], norm.scale.data(), norm.shift.data(), count, channels, gated);
            if (saved) std::copy_n(&x[row * width], static_cast<size_t>(count) * width, out);
            use_->product(gated, count, channels, up.data(), nullptr, width, false, out);
            if (!fixed) use_->moments(out, count, width, of);
        });
        if (saved) kept.x = std::move(x), x = std::move(next);
        used.insert(used.end(), kept.norms.begin(), kept.norms.end());
        if (saved) kept.narrow.push_back(std::move(narrow)), saved->blocks.push_back(std::move(kept));
    }

    const NormUsed norm = used_norm(last, sums, rows, width, epsilon);
    rows_with_sums(rows, threads, 0, [&](size_t row, int count, double*, int) {
        use_->gate(&x[row * width], norm.scale.data(), norm.shift.data(), count, width, y + row * width);
    });
    used.push_back(norm);
    if (saved) saved->x = std::move(x), saved->last = norm, saved->shots = shots;
}

void TrainingTrunk::backward(const float* dy, const Saved& saved, float* dx, std::vector<BlockGradients>& blocks,
                             std::pair<Floats, Floats>& last, int threads) const {
    const size_t rows = static_cast<size_t>(sites) * saved.shots;
    const Norm norm = saved.last.view();
    const std::vector<double> sums =
        rows_with_sums(rows, threads, 2 * width, [&](size_t row, int count, double* of, int) {
            use_->gate_gradient(dy + row * width, &saved.x[row * width], norm, count, width, dx + row * width, of);
        });
    last = affine(sums, width);
    const auto [mean, projection] = means(sums, rows, width);
    rows_with_sums(rows, threads, 0, [&, &mean = mean, &projection = projection](size_t row, int count, double*, int) {
        use_->norm_gradient(dx + row * width, &saved.x[row * width], norm, mean.data(), projection.data(), count, width,
                            false, dx + row * width);
    });
    blocks.resize(saved.blocks.size());
    for (size_t i = saved.blocks.size(); i-- > 0;) block_backward(saved.blocks[i], saved.shots, dx, blocks[i], threads);
}

void TrainingTrunk::block_backward(const Saved::OfBlock& saved, int shots, float* dx, BlockGradients& gradients,
                                   int threads) const {
    const size_t rows = static_cast<size_t>(sites) * shots;
    const Floats nothing(std::max(width, channels), 0.f);
    const int parts = std::max(threads, 1);
    std::vector<Floats> scratch(parts, Floats(static_cast<size_t>(BLOCK) * std::max(width, channels)));
    const int32_t zero = 0;
    const Pairs whole{&zero, &zero, 1};  // rows one after the other, as if they were the shots of one site

    Parts up(parts, saved.up.size());
    const size_t zeros = static_cast<size_t>(shots) * channels;
    Buffer dz = with_zeros(static_cast<size_t>(steps.back().sites_out) * zeros, zeros);
    Norm norm = saved.norms.back().view();
    std::vector<double> sums =
        rows_with_sums(rows, threads, 2 * channels, [&](size_t row, int count, double* of, int thread) {
            float* activated = scratch[thread].data();
            const float* before = &saved.narrow.back()[row * channels];
            use_->gate(before, norm.scale, norm.shift, count, channels, activated);
            use_->outer_product(whole, count, dx + row * width, width, activated, channels, up[thread]);
            use_->product(dx + row * width, count, width, saved.up.data(), nothing.data(), channels, false,
                          &dz[row * channels]);
            use_->gate_gradient(&dz[row * channels], before, norm, count, channels, &dz[row * channels], of);
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
        const auto [mean, projection] = means(sums, rows_out, channels);
        norm = saved.norms[i + 2].view();
        rows_with_sums(
            rows_out, threads, 0, [&, &mean = mean, &projection = projection](size_t row, int count, double*, int) {
                use_->norm_gradient(&dz[row * channels], &saved.narrow[i + 1][row * channels], norm, mean.data(),
                                    projection.data(), count, channels, false, &dz[row * channels]);
            });

        gradients.convolutions[i].resize(saved.convolutions[i].size());
        weight_gradient(*use_, step, saved.activated[i].data(), channels, dz.data(), channels, shots,
                        gradients.convolutions[i].data(), threads);

        Buffer read = with_zeros(rows_in * channels, zeros);
        convolve(*use_, step.backward, shots, dz.data(), channels, saved.convolutions[i], channels, read.data(),
                 threads);
        norm = saved.norms[i + 1].view();
        sums = rows_with_sums(rows_in, threads, 2 * channels, [&](size_t row, int count, double* of, int) {
            use_->gate_gradient(&read[row * channels], &saved.narrow[i][row * channels], norm, count, channels,
                                &read[row * channels], of);
        });
        dz = std::move(read);
    }

    gradients.norms[1] = affine(sums, channels);
    const auto [mean, projection] = means(sums, rows, channels);
    const Norm narrow = saved.norms[1].view(), wide = saved.norms[0].view();
    Parts down(parts, saved.down.size());
    Buffer gated(rows * width);  // the gradient behind the first norm
    sums = rows_with_sums(rows, threads, 2 * width,
                          [&, &mean = mean, &projection = projection](size_t row, int count, double* of, int thread) {
                              float *dy = &dz[row * channels], *activated = scratch[thread].data();
                              const float* x = &saved.x[row * width];
                              use_->norm_gradient(dy, &saved.narrow[0][row * channels], narrow, mean.data(),
                                                  projection.data(), count, channels, false, dy);
                              use_->gate(x, wide.scale, wide.shift, count, width, activated);
                              use_->outer_product(whole, count, dy, channels, activated, width, down[thread]);
                              use_->product(dy, count, channels, saved.down.data(), nothing.data(), width, false,
                                            &gated[row * width]);
                              use_->gate_gradient(&gated[row * width], x, wide, count, width, &gated[row * width], of);
                          });
    gradients.down = down.sum();
    gradients.norms[0] = affine(sums, width);
    const auto [of_wide, along] = means(sums, rows, width);
    rows_with_sums(rows, threads, 0, [&, &of_wide = of_wide, &along = along](size_t row, int count, double*, int) {
        use_->norm_gradient(&gated[row * width], &saved.x[row * width], wide, of_wide.data(), along.data(), count,
                            width, true, dx + row * width);
    });
}

namespace {

// The same with a row of zeros behind it, where tiles of several sites may read that.
Buffer read_by_tiles(const float* x, size_t size, int shots, int channels, const Kernels& use) {
    if (shots >= use.rows) return Buffer();
    Buffer copy = with_zeros(size, static_cast<size_t>(shots) * channels);
    std::copy_n(x, size, copy.begin());
    return copy;
}

}  // namespace

void TrainingConvolution::forward(const float* x, int inner, const float* weight, int outer, int shots, float* y,
                                  int threads) const {
    const Buffer copy = read_by_tiles(x, static_cast<size_t>(step.sites_in) * shots * inner, shots, inner, *use_);
    convolve(*use_, step.forward, shots, copy.empty() ? x : copy.data(), inner,
             by_relation(step, weight, inner, outer, false), outer, y, threads);
}

void TrainingConvolution::backward(const float* x, int inner, const float* weight, int outer, const float* dy,
                                   int shots, float* dx, float* of_weight, int threads) const {
    const Buffer copy = read_by_tiles(dy, static_cast<size_t>(step.sites_out) * shots * outer, shots, outer, *use_);
    convolve(*use_, step.backward, shots, copy.empty() ? dy : copy.data(), outer,
             by_relation(step, weight, inner, outer, true), inner, dx, threads);
    weight_gradient(*use_, step, x, inner, dy, outer, shots, of_weight, threads);
}

}  // namespace cascade
