#include "first_block.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace cascade {

namespace {

// SiLU of sums, as the first convolution's results are read.
template <class Number>
void activate(const Decoding<Number>& decoding, const Floats& sums, int channels, std::vector<Number>& results) {
    const Floats one(channels, 1.f), none(channels, 0.f);
    results.resize(sums.size());
    decoding.gate(sums.data(), one.data(), none.data(), static_cast<int>(sums.size() / channels), channels,
                  results.data());
}

}  // namespace

template <class Number>
void FirstBlock<Number>::prepare(const Trunk<Number>& trunk, const Decoding<Number>& decoding) {
    const int width = trunk.width, channels = trunk.channels, sites = trunk.sites;
    const int rows = static_cast<int>(trunk.embedding.size() / width);
    const Block<Number>& block = trunk.blocks[0];
    const Convolution<Number>& step = block.convolutions[0];

    // What the first convolution reads at a site of each row of the embedding.
    std::vector<Number> gated(trunk.embedding.size()), read(static_cast<size_t>(rows) * channels);
    decoding.gate(trunk.embedding.data(), block.scale.data(), block.shift.data(), rows, width, gated.data());
    decoding.narrow(gated.data(), rows, width, block.down.data(), block.down_bias.data(), channels, true, read.data());

    std::vector<Number> silent(static_cast<size_t>(sites + 1) * channels, Number{});
    stream_.resize(static_cast<size_t>(sites) * width);
    for (int s = 0; s < sites; s++) {
        const size_t row = trunk.kind[s] + trunk.fill[s];
        std::copy_n(&read[row * channels], channels, &silent[static_cast<size_t>(s) * channels]);
        std::copy_n(&trunk.embedding[row * width], width, &stream_[static_cast<size_t>(s) * width]);
    }
    sums_.resize(static_cast<size_t>(step.sites_out) * channels);
    const std::vector<Group>& all = step.groups->of(1, decoding.rows);
    decoding.convolve_head(all.data(), static_cast<int>(all.size()), 1, silent.data(), channels, step.weight.data(),
                           sums_.data());
    for (size_t i = 0; i < sums_.size(); i++) sums_[i] += step.bias[i % channels];

    std::map<std::array<int, 2>, int> kinds;  // by their rows without and with an event
    kind_.resize(sites);
    const size_t matrix = static_cast<size_t>(channels) * channels, matrices = step.weight.size() / matrix;
    const Floats none(channels, 0.f);
    Floats quiet(channels);
    for (int s = 0; s < sites; s++) {
        const std::array<int, 2> pair{trunk.kind[s] + trunk.fill[s], trunk.kind[s] + (trunk.mask[s] | trunk.fill[s])};
        const auto [kind, made] = kinds.emplace(pair, static_cast<int>(kinds.size()));
        kind_[s] = kind->second;
        if (!made) continue;
        for (size_t m = 0; m < matrices; m++) {
            added_.resize(added_.size() + channels);
            float* added = &added_[added_.size() - channels];
            const Number* weight = step.weight.data() + m * matrix;
            decoding.product(&read[static_cast<size_t>(pair[0]) * channels], 1, channels, weight, none.data(), channels,
                             false, quiet.data());
            decoding.product(&read[static_cast<size_t>(pair[1]) * channels], 1, channels, weight, none.data(), channels,
                             false, added);
            for (int c = 0; c < channels; c++) added[c] -= quiet[c];
        }
    }

    activate(decoding, sums_, channels, next_);
    if (block.convolutions.size() > 1) return;
    const std::vector<Number> results = next_;
    std::vector<Number> scratch(static_cast<size_t>(MOST_ROWS) * width);
    Ints each(sites);
    std::iota(each.begin(), each.end(), 0);
    const After<Number> after = trunk.after(0, stream_.data(), scratch.data());
    decoding.behind(each.data(), sites, results.data(), channels, next_.data(), &after);
}

template <class Number>
void FirstBlock<Number>::operator()(const Trunk<Number>& trunk, const Decoding<Number>& decoding, const uint8_t* states,
                                    int shots, const After<Number>& after, Work& work, Number* y) const {
    const int width = trunk.width, channels = trunk.channels;
    const Convolution<Number>& step = trunk.blocks[0].convolutions[0];
    const bool only = trunk.blocks[0].convolutions.size() == 1;
    const size_t matrices = step.weight.size() / channels / channels;
    for (int s = 0; s < trunk.sites; s++)
        for (int shot = 0; shot < shots; shot++)
            std::copy_n(&stream_[static_cast<size_t>(s) * width], width,
                        after.stream + (static_cast<size_t>(s) * shots + shot) * width);
    for (int s = 0; s < step.sites_out; s++)
        for (int shot = 0; shot < shots; shot++)
            std::copy_n(&next_[static_cast<size_t>(s) * channels], channels,
                        y + (static_cast<size_t>(s) * shots + shot) * channels);

    work.slot.assign(step.sites_out, -1);
    work.rows.clear();
    work.sums.clear();
    const auto sums_at = [&](int site, int shot) {
        int32_t& slot = work.slot[site];
        if (slot < 0) {
            slot = static_cast<int32_t>(work.rows.size());
            work.rows.push_back(site * shots + shot);
            const auto silent = sums_.begin() + static_cast<ptrdiff_t>(site) * channels;
            work.sums.insert(work.sums.end(), silent, silent + channels);
        }
        return &work.sums[static_cast<size_t>(slot) * channels];
    };
    const auto embed = [&](size_t row) {
        const size_t from = trunk.kind[row / shots] + states[row];
        std::copy_n(&trunk.embedding[from * width], width, after.stream + row * width);
    };
    for (int shot = 0; shot < shots; shot++) {
        const size_t begin = work.rows.size();
        for (int s = 0; s < trunk.sites; s++) {
            const size_t row = static_cast<size_t>(s) * shots + shot;
            if (states[row] == trunk.fill[s]) continue;
            if (only)
                sums_at(s, shot);
            else
                embed(row);
            for (int i = step.readers.start[s]; i < step.readers.start[s + 1]; i++) {
                float* sums = sums_at(step.readers.site[i], shot);
                const float* added = &added_[(kind_[s] * matrices + step.readers.block[i]) * channels];
                for (int c = 0; c < channels; c++) sums[c] += added[c];
            }
        }
        for (size_t i = begin; i < work.rows.size(); i++) work.slot[work.rows[i] / shots] = -1;
    }

    activate(decoding, work.sums, channels, work.results);
    const int count = static_cast<int>(work.rows.size());
    if (only) {
        for (int32_t row : work.rows) embed(row);
        decoding.behind(work.rows.data(), count, work.results.data(), channels, y, &after);
        return;
    }
    for (int i = 0; i < count; i++)
        std::copy_n(&work.results[static_cast<size_t>(i) * channels], channels,
                    y + static_cast<ptrdiff_t>(work.rows[i]) * channels);
}

template class FirstBlock<float>;
template class FirstBlock<Bfloat16>;

}  // namespace cascade
