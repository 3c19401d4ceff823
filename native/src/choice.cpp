// Which instruction set computes.
#include <cstring>

#include "kernels.h"

namespace cascade {

const Kernels* kernels(const char* name) {
#if defined(CASCADE_X86)
    __builtin_cpu_init();
    const bool fused = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool wide = fused && __builtin_cpu_supports("avx512f");
    if (wide && (!name || !std::strcmp(name, avx512.name))) return &avx512;
    if (fused && (!name || !std::strcmp(name, avx2.name))) return &avx2;
#endif
    return !name || !std::strcmp(name, portable.name) ? &portable : nullptr;
}

}  // namespace cascade
