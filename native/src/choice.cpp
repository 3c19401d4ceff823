// Which instruction set computes.
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "kernels.h"
#include "min_sum.h"

namespace cascade {

std::vector<const Kernels*> all_kernels() {
    std::vector<const Kernels*> found;
#if defined(CASCADE_X86)
    __builtin_cpu_init();
    const bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fused && __builtin_cpu_supports("avx512f")) found.push_back(&avx512);
    if (fused) found.push_back(&avx2);
#endif
    found.push_back(&portable);
    return found;
}

const Kernels* kernels() {
    const char* name = std::getenv("CASCADE_INSTRUCTIONS");
    const std::vector<const Kernels*> found = all_kernels();
    if (!name || !*name) return found.front();
    std::string names;
    for (const Kernels* one : found) {
        if (!std::strcmp(name, one->name)) return one;
        names += std::string(names.empty() ? "" : ", ") + one->name;
    }
    throw std::invalid_argument("CASCADE_INSTRUCTIONS: expected one of " + names + ", got " + name);
}

const MinSum& min_sum() {
#if defined(CASCADE_X86)
    if (kernels() == &avx512) return min_sum_avx512;
    if (kernels() == &avx2) return min_sum_avx2;
#endif
    return min_sum_portable;
}

#if defined(CASCADE_BFLOAT16)
namespace {

bool multiplies_bfloat16() { return kernels() == &avx512 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bf16"); }

}  // namespace

const Decoding<Bfloat16>* bfloat16_kernels() { return multiplies_bfloat16() ? &avx512_bfloat16 : nullptr; }

const Training<Bfloat16>* bfloat16_training() { return multiplies_bfloat16() ? &avx512_bfloat16_training : nullptr; }
#else
const Decoding<Bfloat16>* bfloat16_kernels() { return nullptr; }

const Training<Bfloat16>* bfloat16_training() { return nullptr; }
#endif

const Decoding8* int8_kernels() {
#if defined(CASCADE_BFLOAT16)
    if (bfloat16_kernels() && __builtin_cpu_supports("avx512vnni")) return &avx512_int8;
#endif
    return nullptr;
}

}  // namespace cascade
