// Memory that begins where a line of the caches does: of registers as wide as a line, each would be read from two.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace cascade {

template <class T>
struct Aligned {
    using value_type = T;
    static constexpr std::align_val_t LINE{64};

    Aligned() = default;
    template <class Other>
    Aligned(const Aligned<Other>&) {}

    T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), LINE)); }
    void deallocate(T* from, size_t) { ::operator delete(from, LINE); }

    template <class Other>
    bool operator==(const Aligned<Other>&) const {
        return true;
    }
    template <class Other>
    bool operator!=(const Aligned<Other>&) const {
        return false;
    }
};

template <class T>
using Numbers = std::vector<T, Aligned<T>>;

using Floats = Numbers<float>;

}  // namespace cascade
