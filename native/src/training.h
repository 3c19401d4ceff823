// The trunk with the batch's own statistics, forward and backward by hand: what the fused Triton trunk is on GPUs.
//
// In bfloat16 products take rounded numbers, and what lies in memory between passes is rounded, but for the residual
// stream and its gradient. Sums, statistics, weights and their gradients are floats.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "aligned.h"
#include "kernels.h"
#include "links.h"

namespace cascade {


// A vector whose elements are not set to zero first: they are all written before they are read.
template <class T>
struct Unset : std::allocator<T> {
    template <class U>
    struct rebind {
        using other = Unset<U>;
    };
    template <class U>
    void construct(U*) noexcept {}
    template <class U, class First, class... Rest>
    void construct(U* at, First&& first, Rest&&... rest) {
        ::new (static_cast<void*>(at)) U(std::forward<First>(first), std::forward<Rest>(rest)...);
    }
};
template <class Number>
using Buffer = std::vector<Number, Unset<Number>>;

// Tables of a block's convolution for both directions. Channels and width are multiples of a vector.
struct TrainingStep {
    TrainingStep(const Links& links, int rows)
        : planes(links.planes),
          relations(links.relations),
          sites_in(links.sites_in),
          sites_out(links.sites_out),
          forward(links.forward(rows)),
          backward(links.backward(rows)),
          pairs(links.pairs()) {}

    int planes, relations, sites_in, sites_out;
    Groups forward, backward;
    std::vector<std::pair<Ints, Ints>> pairs;
};

// A batch norm's parameters [channels]; mean and variance are null where they are to be the batch's.
struct NormWeights {
    const float *gamma, *beta, *mean, *variance;
};

// As PyTorch has them: down [channels, width], convolutions [planes * channels, relations * channels], up [width,
// channels].
struct BlockWeights {
    std::vector<NormWeights> norms;
    const float* down;
    std::vector<const float*> convolutions;
    const float* up;
    float share;  // of what the block adds to its input
};

// What a norm of a forward pass was, [channels] each.
struct NormUsed {
    Floats scale, shift, deviation, offset, mean, variance;

    Norm view() const { return {scale.data(), shift.data(), deviation.data(), offset.data()}; }
};

// What the backward pass reads again. It copies the weights, as an optimizer may change them before.
template <class Number>
struct Saved {
    struct OfBlock {
        Buffer<Number> x;                       // its input, [sites, shots, width]
        std::vector<Buffer<Number>> narrow;     // before each norm but the first: what down and the convolutions wrote
        std::vector<Buffer<Number>> activated;  // what each convolution read, as an outer product reads it
        std::vector<NormUsed> norms;
        Numbers<Number> down, up;  // matrices of [channels, width] and [width, channels], `up` times the share
        std::vector<Numbers<Number>> convolutions;  // [planes, relations] of [outputs, inputs]
        float share;
    };
    std::vector<OfBlock> blocks;
    Buffer<Number> x;  // of the last norm
    NormUsed last;
    int shots;
};

struct BlockGradients {
    std::vector<std::pair<Floats, Floats>> norms;  // to gamma and beta
    Floats down;
    std::vector<Floats> convolutions;
    Floats up;
};

// One convolution alone, between any two numbers of channels.
template <class Number>
class TrainingConvolution {
  public:
    TrainingConvolution(const Links& links, const Training<Number>* use) : step(links, use->rows), use_(use) {}

    // y [sites_out, shots, outer] of x [sites_in, shots, inner]; the weight is [planes, outer, relations, inner].
    void forward(const Number* x, int inner, const float* weight, int outer, int shots, Number* y, int threads) const;

    // dx as x, and the gradient to the weight as that.
    void backward(const Number* x, int inner, const float* weight, int outer, const Number* dy, int shots, Number* dx,
                  float* of_weight, int threads) const;

    TrainingStep step;

  private:
    const Training<Number>* use_;
};

template <class Number>
class TrainingTrunk {
  public:
    TrainingTrunk(std::vector<Links> links, int sites, int width, int channels, const Training<Number>* use);

    // y [sites, shots, width] of x; statistics are those of the norms in the order of use. Saves nothing without
    // `saved`.
    void forward(const Number* x, int shots, const std::vector<BlockWeights>& blocks, const NormWeights& last,
                 float epsilon, Number* y, std::vector<NormUsed>& used, Saved<Number>* saved, int threads) const;

    // From the gradient to y to that to x, both [sites, shots, width], and to the parameters.
    void backward(const Number* dy, const Saved<Number>& saved, Number* dx, std::vector<BlockGradients>& blocks,
                  std::pair<Floats, Floats>& last, int threads) const;

    int sites, width, channels;
    std::vector<TrainingStep> steps;

  private:
    struct Wide;

    void block_backward(const typename Saved<Number>::OfBlock& saved, int shots, Wide& wide,
                        BlockGradients& gradients, int threads) const;

    const Training<Number>* use_;
};

}  // namespace cascade
