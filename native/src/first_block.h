// The first block of a network by its events. Most sites of a shot are silent, and so are all whom they read: what the
// block makes of those is worked out once. At the others, each event adds something known to the first convolution.
#pragma once

#include <vector>

#include "kernels.h"
#include "program.h"

namespace cascade {

template <class Number>
class FirstBlock {
  public:
    // Memory to work in.
    struct Work {
        Ints slot, rows;
        Floats sums;
        std::vector<Number> results;
    };

    // What is known of an experiment.
    void prepare(const Trunk<Number>& trunk, const Decoding<Number>& decoding);

    // From the states of sites, [sites, shots]: the residual stream, which is `after.stream`, and what is read next, y,
    // behind the first convolution and, where it is the only one, behind the block.
    void operator()(const Trunk<Number>& trunk, const Decoding<Number>& decoding, const uint8_t* states, int shots,
                    const After<Number>& after, Work& work, Number* y) const;

  private:
    Ints kind_;                // [sites]: the number of a site's kind, with or without an event
    Floats added_;             // [kinds, matrices, channels]: what an event adds to the sums of who reads it
    Floats sums_;              // [sites out, channels]: of silent shots, with the bias
    Floats stream_;            // [sites, width]: of silent shots
    std::vector<Number> next_;  // [sites out, channels]: what is read next, of silent shots
};

}  // namespace cascade
