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

// The upper half of a float.
struct Bfloat16 {
    uint16_t bits;
};

// Eight bits: of what is read without a sign, of weights with one.
struct Byte {
    uint8_t bits;
};

// Inputs of a product that are multiplied and summed at once. Matrices lie as [inner / INPUTS, outer, INPUTS].
template <class Number>
constexpr int INPUTS = 4 / sizeof(Number);

// What a block does behind its last convolution, row by row: stream += z up, and then, unless it is the last block,
// y = silu(silu(scale stream + shift) down + bias).
template <class Number>
struct After {
    float* stream;  // [sites, shots, width]
    int width;
    const float *scale, *shift, *bias;
    const Number *up, *down;
    Number* scratch;  // [ROWS, width]
};

constexpr int MOST_ROWS = 12;
constexpr int READ_AT_ONCE = 4 * PADDED;  // hidden channels, at most

// What an operator says: output silu(hidden share (sum of its places' features) + bias). Places are multiplied and not
// operators, as there may be many more of those.
template <class Number>
struct Readout {
    int places, width, hidden_width, operators;
    const int32_t *start, *place;  // those of operator o are place[start[o]..start[o + 1]]
    int fewest, most;              // of one
    float share;
    const Number* hidden;  // [width, hidden_width]
    const float *bias, *output;
};

// A batch norm behind which SiLU stands: silu(scale x + shift), x normalised being x * deviation + offset.
struct Norm {
    const float *scale, *shift, *deviation, *offset;  // [channels]; the deviation is one over the standard deviation
};

// How the gradient to a batch norm's input depends on that to its output and on the input, once the batch is known.
struct NormGradient {
    const float *of_dz, *of_x, *constant;  // [channels]
};

// What decoding takes. Operands of products are `Number`s, float or Bfloat16; sums and the residual stream are floats.
template <class Number>
struct Decoding {
    int rows;  // of a tile: groups should have as many sites, or one where there are as many shots
    // y = silu(bias + sum over relations of x[read] w): x [sites + 1, shots, channels], w [blocks] of matrices, y
    // [sites, shots, channels]; of the shots that `wanted`, [sites], has bits for, or all if it is null; `after` may be
    // null
    void (*convolve)(const Group* groups, int count, int shots, const uint32_t* wanted, const Number* x, int channels,
                     const Number* w, const float* bias, Number* y, const After<Number>* after);
    // `after` alone, of some rows: z [count, channels] are theirs, as a convolution leaves them; y[row] is written
    void (*behind)(const int32_t* row, int count, const Number* z, int channels, Number* y, const After<Number>* after);
    // the convolution without bias and SiLU, y of floats
    void (*convolve_head)(const Group* groups, int count, int shots, const Number* x, int width, const Number* w,
                          float* y);
    // y = bias + x w: x [rows, inner], w [inner, outer]; with `activate` SiLU of it
    void (*product)(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, bool activate,
                    float* y);
    void (*narrow)(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, bool activate,
                   Number* y);
    // y = silu(scale x + shift), [rows, channels]
    void (*gate)(const float* x, const float* scale, const float* shift, int rows, int channels, Number* y);
    // silu(scale x + shift) summed over a number of sites, and over all of them but the first and, if there is one, the
    // site `entering` behind them: x [.., shots, width], sums [shots, width] each
    void (*sum_gated)(const float* x, const float* scale, const float* shift, const int32_t* sites, int own,
                      bool entering, int shots, int width, Number* whole, Number* later);
    // logits of one shot, [operators], of its features, x [places, shots, width]; `rows` and `parts` are memory to work
    // in: [places, width] and [places, READ_AT_ONCE]
    void (*read_out)(const Readout<Number>& of, const float* x, int shots, Number* rows, float* parts, float* logits);
};

constexpr float LEAST = 0.28f;  // what SiLU gives, rounded to bfloat16, is above -LEAST

constexpr int ZERO = 64;  // what nothing is in the head's eight bits: sums of SiLU are seldom far below it

// Convolutions with operands in eight bits, beside what decodes with operands in bfloat16.
struct Decoding8 {
    // as in Decoding, with sums in floats
    void (*sum_gated)(const float* x, const float* scale, const float* shift, const int32_t* sites, int own,
                      bool entering, int shots, int width, float* whole, float* later);
    // y = (x + LEAST) times, rounded: x [rows, channels], times [channels]
    void (*round)(const Bfloat16* x, const float* times, size_t rows, int channels, Byte* y);
    // y = silu(bias + scale * sum over relations of x[read] w): scale [channels], bias [sites, channels]
    void (*convolve)(const Group* groups, int count, int shots, const uint32_t* wanted, const Byte* x, int channels,
                     const Byte* w, const float* scale, const float* bias, Bfloat16* y, const After<Bfloat16>* after);
    // of each shot a step, NaN where a number is not finite, and y = x / step + ZERO, rounded: x [rows, shots, width],
    // steps [shots]
    void (*round_shots)(const float* x, size_t rows, int shots, int width, float* steps, Byte* y);
    // y = bias + scale * sum over relations of x[read] w, without SiLU
    void (*convolve_head)(const Group* groups, int count, int shots, const Byte* x, int width, const Byte* w,
                          const float* scale, const float* bias, float* y);
    // as in Decoding, with sums over places and SiLU in sixteen bits; `parts` and `halves` are [places + 5,
    // hidden_width], or READ_AT_ONCE where that is more
    void (*read_out)(const Readout<Bfloat16>& of, const float* x, int shots, Bfloat16* rows, float* parts,
                     int16_t* halves, float* logits);
};

// What training takes, forward and backward. What is multiplied and what is kept are `Number`s; sums and the residual
// stream are floats. A norm's [2, channels] sums are added to.
template <class Number>
struct Training {
    int rows;  // of a tile, as above
    // y = sum over relations of x[read] w: x [sites + 1, shots, inner], w [blocks] of matrices, y [sites, shots, outer]
    void (*convolve)(const Group* groups, int count, int shots, const Number* x, int inner, const Number* w, int outer,
                     Number* y);
    // y = bias + x w, or y += x w where bias is null: x [rows, inner], w a matrix
    void (*product)(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, float* y);
    // y = bias + x w
    void (*narrow)(const Number* x, int rows, int inner, const Number* w, const float* bias, int outer, Number* y);
    // y [rows / INPUTS, channels, INPUTS] of x [rows, channels], as matrices lie; zeros follow the last row
    void (*lay)(const Number* x, int rows, int channels, Number* y);
    // w += x[from]^T y[to], summed over pairs and shots: x [sites, shots / INPUTS, inner, INPUTS], y likewise, w
    // [inner, outer]; `tiers` is shots / INPUTS
    void (*outer_product)(Pairs pairs, int tiers, const Number* x, int inner, const Number* y, int outer, float* w);
    void (*round)(const float* x, size_t count, Number* y);
    void (*widen)(const Number* x, size_t count, float* y);
    // sums of x and of x^2: x [rows, channels]
    void (*moments)(const float* x, int rows, int channels, double* sums);
    void (*moments_of_kept)(const Number* x, int rows, int channels, double* sums);
    // y = silu(scale x + shift), [rows, channels]
    void (*gate)(const float* x, const float* scale, const float* shift, int rows, int channels, Number* y);
    void (*gate_kept)(const Number* x, const float* scale, const float* shift, int rows, int channels, Number* y);
    // dz = d silu'(scale x + shift), sums of dz and of dz times x normalised; y = silu(scale x + shift) but where y is
    // null; d and dz may be one
    void (*gate_gradient)(const float* d, const Number* x, Norm norm, int rows, int channels, Number* dz, Number* y,
                          double* sums);
    void (*gate_gradient_of_kept)(const Number* d, const Number* x, Norm norm, int rows, int channels, Number* dz,
                                  Number* y, double* sums);
    // dx = of_dz dz + of_x x + constant; dz and dx may be one
    void (*norm_gradient)(const Number* dz, const Number* x, NormGradient norm, int rows, int channels, Number* dx);
    // dx += the same
    void (*add_norm_gradient)(const Number* dz, const Number* x, NormGradient norm, int rows, int channels, float* dx);
};

// What a decision takes of numbers of all logical classes: a power of two of them, PADDED at least.
struct Classes {
    // sums of x with a sign where an odd number of bits is in both classes: the Walsh-Hadamard transform
    void (*transform)(float* x, int count);
    float (*highest)(const float* x, int count);
    // y = e^(x - top), which nothing is above, and its sum; y is no smaller than 2^-126
    float (*weigh)(const float* x, int count, float top, float* y);
};

struct Kernels {
    const char* name;
    int lanes;  // of a vector
    Decoding<float> decoding;
    Training<float> training;
    // y = silu(scale x + shift), [rows, channels]
    void (*gate)(const float* x, const float* scale, const float* shift, int rows, int channels, float* y);
    // y[to] += x[from], rows of channels
    void (*add_rows)(Pairs rows, const float* x, int channels, float* y);
    // y = x in those shots that `where`, [sites], has bits for: x [sites, width], y [sites, shots, width]
    void (*fill)(const uint32_t* where, int sites, int shots, const float* x, int width, float* y);
    Classes classes;
};

extern const Kernels portable;
#if defined(CASCADE_X86)
extern const Kernels avx2, avx512;
#endif
#if defined(CASCADE_BFLOAT16)
extern const Decoding<Bfloat16> avx512_bfloat16;
extern const Decoding8 avx512_int8;
extern const Training<Bfloat16> avx512_bfloat16_training;
#endif

// Those that the chip has, the widest first.
std::vector<const Kernels*> all_kernels();

// The widest, or those that CASCADE_INSTRUCTIONS names.
const Kernels* kernels();

// What decodes with bfloat16 operands beside `kernels()`; null where the chip does not multiply them.
const Decoding<Bfloat16>* bfloat16_kernels();

// The same of those with operands in eight bits.
const Decoding8* int8_kernels();

// What trains with them; null likewise.
const Training<Bfloat16>* bfloat16_training();

}  // namespace cascade
