// Compiled once for each instruction set, CASCADE_SET, and linked side by side.
#include "kernels.h"

#include "classes.h"
#include "rows.h"
#include "tiles.h"
#include "training_loops.h"

namespace cascade {

#define CASCADE_TEXT(set) #set
#define CASCADE_NAME(set) CASCADE_TEXT(set)

extern const Kernels CASCADE_SET = {
    CASCADE_NAME(CASCADE_SET),   LANES, decoding<float>(), training<float>(), gate<float, float>, add_rows, fill,
    {transform, highest, weigh},
};

}  // namespace cascade
