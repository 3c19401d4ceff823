// One iteration of min-sum belief propagation, compiled for several instruction sets as the network's kernels are.
#pragma once

#include <cstdint>

namespace cascade {

// Row r is flipped by component[start[r]] to component[start[r + 1] - 1].
struct MinSumTables {
    const int32_t *start, *component;
    const float* prior;  // [components]: log-odds that each is flipped, before any event
    int rows, components;
    float scaling, damping;
};

// Of several shots side by side: every array is [.., shots]. Log-odds are those that nothing is flipped.
struct MinSumShots {
    float* message;        // [entries]: what each row says to each of its components
    float *odds, *next;    // [components]: after the iteration before, and after this one
    float* lowest;         // [components]: over the iterations before
    float* said;           // [most entries of a row]: scratch
    const int32_t* lit;    // [rows]: the sign bit where an event is
    const int32_t* kept;   // all bits, or none of a shot that begins
    int32_t* unexplained;  // the sign bit unless the iteration before explains all events
};

struct MinSum {
    int shots;  // side by side
    // Takes `next` for `odds`, and computes it anew. Sums are added up as they are written: every set gives the same.
    void (*iterate)(const MinSumTables& tables, const MinSumShots& shots);
};

extern const MinSum min_sum_portable;
#if defined(CASCADE_X86)
extern const MinSum min_sum_avx2, min_sum_avx512;
#endif

// That of the instruction set that `kernels()` are of.
const MinSum& min_sum();

}  // namespace cascade
