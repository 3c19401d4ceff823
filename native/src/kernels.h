// The operations that take the time, each compiled for several instruction sets; the widest that the chip has is taken.
//
// Channels are multiples of a vector, so that no operation has a rest. Rows are those of [sites, shots].
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cascade {

constexpr int PADDED = 16;  // of every vector a multiple

inline int padded(int channels) { return (channels + PADDED - 1) / PADDED * PADDED; }

// Sites of one plane that are convolved together, and whom they read through each of some relations.
struct Group {
    const int32_t* site;  // [sites]
    const int32_t*
        read;  // [relations, sites]; where a site has no such neighbour, the row of zeros behind the last site
    const int32_t* block;  // [relations]: plane * relations + relation, the matrix that is multiplied by
    int sites, relations;
};

// Sites that a site is read by or reads, through one relation.
struct Pairs {
    const int32_t *from, *to;
    int count;
};

// What a block does behind its last convolution, row by row: stream += z up, and then, unless it is the last block,
// y = silu(silu(scale stream + shift) down + bias).
struct After {
    float* stream;  // [sites, shots, width]
    int width;
    const float *up, *scale, *shift, *down, *bias;
    float* scratch;  // [ROWS, width]
};

constexpr int MOST_ROWS = 12;

// A batch norm behind which SiLU stands: silu(scale x + shift), x normalised being x * deviation + offset.
struct Norm {
    const float *scale, *shift, *deviation, *offset;  // [channels]; the deviation is one over the standard deviation
};

struct Kernels {
    const char* name;
    int lanes;  // of a vector
    int rows;   // of a tile: groups should have as many sites, or one where there are as many shots
    // y = bias + sum over relations of x[read] w: x [sites + 1, shots, inner], w [blocks, inner, outer],
    // y [sites, shots, outer], bias null for none; with `activate` SiLU of it. `after` may be null.
    void (*convolve)(const Group* groups, int count, int shots, const float* x, int inner, const float* w,
                     const float* bias, int outer, bool activate, float* y, const After* after);
    // y = bias + x w, or y += x w where bias is null: x [rows, inner], w [inner, outer]; with `activate` SiLU of it
    void (*product)(const float* x, int rows, int inner, const float* w, const float* bias, int outer, bool activate,
                    float* y);
    // w += x[from]^T y[to], summed over pairs and shots: x [sites, shots, inner], y [sites, shots, outer]
    void (*outer_product)(Pairs pairs, int shots, const float* x, int inner, const float* y, int outer, float* w);
    // sums += (sum of x, sum of x^2) of each channel: x [rows, channels], sums [2, channels]
    void (*moments)(const float* x, int rows, int channels, double* sums);
    // dz = d silu'(scale x + shift), and sums += (sum of dz, sum of dz times x normalised); d and dz may be one
    void (*gate_gradient)(const float* d, const float* x, Norm norm, int rows, int channels, float* dz, double* sums);
    // dx = scale (dz - mean - x normalised * projection), or dx += it; dz and dx may be one
    void (*norm_gradient)(const float* dz, const float* x, Norm norm, const float* mean, const float* projection,
                          int rows, int channels, bool add, float* dx);
    // y = silu(scale x + shift), [rows, channels]
    void (*gate)(const float* x, const float* scale, const float* shift, int rows, int channels, float* y);
};

extern const Kernels portable;
#if defined(CASCADE_X86)
extern const Kernels avx2, avx512;
#endif

// Those that the chip has, the widest first.
std::vector<const Kernels*> all_kernels();

// The widest, or those that CASCADE_INSTRUCTIONS names.
const Kernels* kernels();

}  // namespace cascade
