// What a network makes of a shot without any event, and where another shot differs from it: where no event is within
// reach, nothing has to be computed.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels.h"
#include "program.h"

namespace cascade {

template <class Number>
class Silence {
  public:
    // Memory to work in.
    struct Work {
        Ints slot, rows, from, to;
        Floats sums;
        Numbers<Number> results;
    };

    // What is known of an experiment.
    void prepare(const Trunk<Number>& trunk, const Decoding<Number>& decoding);

    // The first convolution, of the rows [sites, shots] that an event of these states, [sites, shots], is read by:
    // each event adds something known. Their numbers and SiLU of their sums are left in `work`.
    void first_convolution(const Trunk<Number>& trunk, const Kernels& kernels, const Decoding<Number>& decoding,
                           const uint8_t* states, int shots, Work& work) const;

    // What a convolution reads, [sites, channels], and the residual stream before a block, [sites, width], or behind
    // the last one.
    const Numbers<Number>& read(size_t convolution) const { return read_[convolution]; }
    const Floats& stream(size_t layer) const { return stream_[layer]; }

  private:
    Ints kind_;     // [sites]: the number of a site's kind, with or without an event
    Floats added_;  // [kinds, matrices, channels]: what an event adds to the sums of who reads it
    Floats sums_;   // [sites, channels]: of the first convolution, with the bias
    std::vector<Numbers<Number>> read_;
    std::vector<Floats> stream_;
};

// A row of channels: too short for a call of memmove to pay.
template <class T>
inline void copy_row(const T* from, int size, T* to) {
    for (int i = 0; i < size; i += PADDED) std::memcpy(to + i, from + i, PADDED * sizeof(T));
}

// Copies rows, [sites, size], to those shots of y, [sites, shots, size], that `where` has a bit for.
template <class T>
void fill(const Numbers<T>& rows, const Shots& where, int shots, int size, T* y) {
    for (size_t s = 0; s < where.size(); s++)
        for (uint32_t left = where[s]; left; left &= left - 1)
            copy_row(rows.data() + s * size, size, y + (s * shots + __builtin_ctz(left)) * size);
}

}  // namespace cascade
