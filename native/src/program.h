// A model folded for inference and the tables of one experiment: what `cascade_qec.engine.Program` describes, made
// ready.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "aligned.h"
#include "decision.h"
#include "kernels.h"
#include "links.h"

namespace cascade {

using Shots = std::vector<uint32_t>;

// Matrices are packed as the kernels of their numbers have it.
template <class Number>
struct Convolution {
    std::shared_ptr<const Groups> groups;
    int sites_out;
    Numbers<Number> weight;  // [planes, relations, inner, outer]
    Floats bias;                 // [outer]
    Links::Reads reads;          // of its outputs
    Links::Readers readers;      // of its inputs
};

template <class Number>
struct Block {
    Floats scale, shift, down_bias;  // [width], [width], [channels]
    Numbers<Number> down;        // [width, channels]
    std::vector<Convolution<Number>> convolutions;
    Numbers<Number> up;  // [channels, width]
};

template <class Number>
struct Trunk {
    int sites, width, channels;  // padded
    Ints byte, kind;             // [sites]: where a site's bit is, and its first row of the embedding
    std::vector<uint8_t> shift, mask, fill;
    Floats embedding;  // [rows, width]
    std::vector<Block<Number>> blocks;
    Floats out_scale, out_shift;  // [width]

    // What follows a block's convolutions.
    After<Number> after(size_t layer, float* stream, Number* scratch) const {
        After<Number> made{stream, width, nullptr, nullptr, nullptr, blocks[layer].up.data(), nullptr, scratch};
        if (layer + 1 < blocks.size()) {
            const Block<Number>& next = blocks[layer + 1];
            made.scale = next.scale.data(), made.shift = next.shift.data();
            made.down = next.down.data(), made.bias = next.down_bias.data();
        }
        return made;
    }
};

template <class Number>
struct LogicalHead {
    int places, slices, operators, hidden_width;
    Ints sites;         // [places, slices]: check places, of each their sites in time
    Ints segments;      // [segments, 2]: the first slice of each, and that behind its last
    Ints whole, later;  // [places]: which inputs of the convolution are its sums over a segment, and one slice later
    Convolution<Number> to_data;
    Ints start, place;           // data places of each operator: place[start[o]..start[o + 1]]
    int fewest = 0, most = 0;    // of one
    float share;                 // of each of them
    Numbers<Number> hidden;  // [width, hidden]
    Floats hidden_bias;  // [segments, hidden]
    Floats output;       // [hidden]
    float output_bias;
    Ints checks;                         // [checks, slices]: the sites whose events tell a check's last value
    std::vector<uint8_t> members;        // [checks, operators]: whether it is in each
    std::unique_ptr<Decision> decision;  // over all logical classes, where they are not too many
};

template <class Number>
struct LocalHead {
    int types;                   // padded
    Numbers<Number> output;  // [width, types]
    Floats bias;                 // [types]
    Ints owner, type;            // [components]
};

class Program {
  public:
    virtual ~Program() = default;

    int bytes;                   // of a packed shot
    int asked, decided;          // by its head: numbers of evidence, and observables
    int convolutions, channels;  // in all blocks, and of what they read
    bool decides = false;

    // Log-odds of what the head is asked about, float32 [shots, asked], of packed shots, uint8 [shots, bytes]; with a
    // decision, `observables` [shots, decided], `suspects` [shots, decided] and `log_odds` [shots] instead, NaN where
    // the network's numbers are not finite.
    virtual void evidence(const uint8_t* packed, size_t shots, float* out, int threads) const = 0;
    virtual void decide(const uint8_t* packed, size_t shots, bool* observables, float* suspects, float* log_odds,
                        int threads) const = 0;

    // The largest value of each channel of what each convolution reads, [convolutions, channels], of these shots.
    virtual void peaks(const uint8_t* packed, size_t shots, float* out) const = 0;
};

template <class Number>
class Silence;
struct Convolution8;

// One whose products are of floats or of Bfloat16.
template <class Number>
class ProgramOf final : public Program {
  public:
    Trunk<Number> trunk;
    std::unique_ptr<LogicalHead<Number>> logical;
    std::unique_ptr<LocalHead<Number>> local;

    ProgramOf(const Kernels* use, const Decoding<Number>* decoding);
    ~ProgramOf() override;

    // What has to be made once all of the above is set.
    void prepare();

    // Convolve in eight bits from here on, all but the first time; only beside bfloat16.
    void use_eight_bits(const Decoding8* decoding, const float* peaks);

    void evidence(const uint8_t* packed, size_t shots, float* out, int threads) const override;
    void decide(const uint8_t* packed, size_t shots, bool* observables, float* suspects, float* log_odds,
                int threads) const override;
    void peaks(const uint8_t* packed, size_t shots, float* out) const override;

  private:
    struct Space;

    void trunk_of(Space& space, const uint8_t* packed, int shots, float* peaks = nullptr) const;
    void first_convolution(Space& space, int shots, const After<Number>* after, Number* y) const;
    void convolution(Space& space, const Convolution<Number>& step, size_t number, int shots, const uint32_t* wanted,
                     const After<Number>* after, const Number* x, Number* y) const;
    void head_of(Space& space, int shots, float* out) const;
    void read_segment(Space& space, int segment, int shots, float* out) const;
    void convolve_head(Space& space, int segment, int shots) const;
    void parities(Space& space, int shot, int shots) const;
    template <class Each>
    void chunks(size_t shots, int threads, Each each) const;

    // Memory to work in, kept from call to call.
    std::unique_ptr<Space> take() const;
    void give_back(std::unique_ptr<Space> space) const;

    const Kernels* use_;
    const Decoding<Number>* decoding_;

    mutable std::mutex spaces_;
    mutable std::vector<std::unique_ptr<Space>> free_;

    int chunk_ = 1;
    std::unique_ptr<Silence<Number>> silence_;
    const Decoding8* decoding8_ = nullptr;
    std::vector<Convolution8> eight_bits_;  // of all convolutions but the first, and a logical head's
};

}  // namespace cascade
