// A model folded for inference and the tables of one experiment: what `cascade_qec.engine.Program` describes, made
// ready.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "kernels.h"
#include "links.h"

namespace cascade {

using Floats = std::vector<float>;

struct Convolution {
    std::shared_ptr<const Groups> groups;
    int sites_out;
    Floats weight, bias;  // [planes, relations, inner, outer], [outer]
};

struct Block {
    Floats scale, shift, down, down_bias;  // [width], [width], [width, channels], [channels]
    std::vector<Convolution> convolutions;
    Floats up;  // [channels, width]
};

struct Trunk {
    int sites, width, channels;  // padded
    Ints byte, kind;             // [sites]: where a site's bit is, and its first row of the embedding
    std::vector<uint8_t> shift, mask, fill;
    Floats embedding;  // [rows, width]
    std::vector<Block> blocks;
    Floats out_scale, out_shift;  // [width]
};

struct LogicalHead {
    int places, slices, operators, hidden_width;
    Ints sites;  // [places, slices]: check places, of each their sites in time
    Ints order;  // row of the sums that each input of the convolution is: 2 place for all slices, + 1 for all but the
                 // first
    Convolution to_data;
    Ints start, place;           // data places of each operator: place[start[o]..start[o + 1]]
    float share;                 // of each of them
    Floats hidden, hidden_bias;  // [width, hidden], [hidden]
    Floats output;               // [hidden]
    float output_bias;
    Ints checks;                  // [checks, slices]: the sites whose events tell a check's last value
    std::vector<uint64_t> masks;  // [operators, words]: the checks in each operator
    int words;
    // Decision over all logical classes, where they are not too many.
    int k;          // observables of the code, 0 where the decision is made elsewhere
    Ints logicals;  // [operators]: each one's observables, as bits
    Ints wanted;    // [decided]: the code's observables in each that is decided, as bits
    float scale;    // of the votes
};

struct LocalHead {
    int types;            // padded
    Floats output, bias;  // [width, types], [types]
    Ints owner, type;     // [components]
};

class Program {
  public:
    Trunk trunk;
    std::unique_ptr<LogicalHead> logical;
    std::unique_ptr<LocalHead> local;
    int bytes;  // of a packed shot
    const Kernels* use;

    Program();
    ~Program();

    // What has to be made once all of the above is set.
    void prepare();

    int asked() const { return logical ? logical->operators : static_cast<int>(local->owner.size()); }

    // Log-odds of what the head is asked about, float32 [shots, asked], of packed shots, uint8 [shots, bytes]; with a
    // decision, `observables` [shots, decided], `suspects` [shots, decided] and `log_odds` [shots] instead, NaN where
    // the network's numbers are not finite.
    void evidence(const uint8_t* packed, size_t shots, float* out, int threads) const;
    void decide(const uint8_t* packed, size_t shots, bool* observables, float* suspects, float* log_odds,
                int threads) const;

  private:
    struct Space;

    void trunk_of(Space& space, const uint8_t* packed, int shots) const;
    void head_of(Space& space, int shots, float* out) const;
    void decide_one(Space& space, const float* evidence, bool* observables, float* suspects, float* log_odds) const;
    template <class Each>
    void chunks(size_t shots, int threads, Each each) const;

    // Memory to work in, kept from call to call.
    std::unique_ptr<Space> take() const;
    void give_back(std::unique_ptr<Space> space) const;

    mutable std::mutex spaces_;
    mutable std::vector<std::unique_ptr<Space>> free_;

    int chunk_ = 1;
    Floats first_;  // what the first block's convolution reads at a site of each row of the embedding
    // Joint value of the wanted observables: of each logical class its number, and of each number its bits.
    Ints value_of_;
    std::vector<uint64_t> values_;
};

}  // namespace cascade
