// The rows of every component, those of one after those of another, as error models have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace cascade {

// Throws unless component c has the rows row[start[c]] to row[start[c + 1] - 1], all of them below `rows`.
inline void check_columns(const int64_t* start, size_t components, const int64_t* row, size_t entries, int64_t rows) {
    const char* order = "expected the rows of each component one after the other";
    if (start[0] != 0 || start[components] != static_cast<int64_t>(entries)) throw std::invalid_argument(order);
    for (size_t c = 0; c < components; c++)
        if (start[c] > start[c + 1]) throw std::invalid_argument(order);
    for (size_t i = 0; i < entries; i++)
        if (row[i] < 0 || row[i] >= rows) throw std::invalid_argument("expected rows within range");
}

}  // namespace cascade
