#include "silence.h"

#include <algorithm>
#include <array>
#include <map>

namespace cascade {

namespace {

// SiLU of sums, as the first convolution's results are read.
template <class Number>
void activate(const Decoding<Number>& decoding, const Floats& sums, size_t rows, int channels,
              Numbers<Number>& results) {
    const Floats one(channels, 1.f), none(channels, 0.f);
    results.resize(rows * channels);
    decoding.gate(sums.data(), one.data(), none.data(), static_cast<int>(rows), channels, results.data());
}

}  // namespace

template <class Number>
void Silence<Number>::prepare(const Trunk<Number>& trunk, const Decoding<Number>& decoding) {
    const int width = trunk.width, channels = trunk.channels, sites = trunk.sites;
    const int rows = static_cast<int>(trunk.embedding.size() / width);
    const Block<Number>& block = trunk.blocks[0];
    const Convolution<Number>& step = block.convolutions[0];

    // What the first convolution reads at a site of each row of the embedding.
    Numbers<Number> gated(trunk.embedding.size()), read(static_cast<size_t>(rows) * channels);
    decoding.gate(trunk.embedding.data(), block.scale.data(), block.shift.data(), rows, width, gated.data());
    decoding.narrow(gated.data(), rows, width, block.down.data(), block.down_bias.data(), channels, true, read.data());

    Numbers<Number> silent(static_cast<size_t>(sites + 1) * channels, Number{});
    Floats stream(static_cast<size_t>(sites) * width);
    for (int s = 0; s < sites; s++) {
        const size_t row = trunk.kind[s] + trunk.fill[s];
        std::copy_n(&read[row * channels], channels, &silent[static_cast<size_t>(s) * channels]);
        std::copy_n(&trunk.embedding[row * width], width, &stream[static_cast<size_t>(s) * width]);
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

    // The other convolutions of this one shot, all of it.
    read_.push_back(std::move(silent));
    stream_.push_back(stream);
    Numbers<Number> scratch(static_cast<size_t>(MOST_ROWS) * width), next;
    for (size_t layer = 0; layer < trunk.blocks.size(); layer++) {
        const After<Number> after = trunk.after(layer, stream.data(), scratch.data());
        for (const Convolution<Number>& one : trunk.blocks[layer].convolutions) {
            const bool last = &one == &trunk.blocks[layer].convolutions.back();
            const std::vector<Group>& groups = one.groups->of(1, decoding.rows);
            next.assign((static_cast<size_t>(one.sites_out) + 1) * channels, Number{});
            decoding.convolve(groups.data(), static_cast<int>(groups.size()), 1, nullptr, read_.back().data(), channels,
                              one.weight.data(), one.bias.data(), next.data(), last ? &after : nullptr);
            read_.push_back(next);
        }
        stream_.push_back(stream);
    }
}

template <class Number>
void Silence<Number>::first_convolution(const Trunk<Number>& trunk, const Kernels& kernels,
                                        const Decoding<Number>& decoding, const uint8_t* states, int shots,
                                        Work& work) const {
    const int channels = trunk.channels;
    const Convolution<Number>& step = trunk.blocks[0].convolutions[0];
    const bool only = trunk.blocks[0].convolutions.size() == 1;
    const size_t matrices = step.weight.size() / channels / channels;
    work.slot.assign(step.sites_out, -1);
    work.rows.clear(), work.from.clear(), work.to.clear();
    work.sums.resize(static_cast<size_t>(step.sites_out) * shots * channels);
    const auto slot_of = [&](int site, int shot) {
        int32_t& slot = work.slot[site];
        if (slot < 0) {
            slot = static_cast<int32_t>(work.rows.size());
            work.rows.push_back(site * shots + shot);
            copy_row(&sums_[static_cast<size_t>(site) * channels], channels,
                     &work.sums[static_cast<size_t>(slot) * channels]);
        }
        return slot;
    };
    for (int shot = 0; shot < shots; shot++) {
        const size_t begin = work.rows.size();
        for (int s = 0; s < trunk.sites; s++) {
            if (states[static_cast<size_t>(s) * shots + shot] == trunk.fill[s]) continue;
            if (only) slot_of(s, shot);  // the block adds to its own row
            for (int i = step.readers.start[s]; i < step.readers.start[s + 1]; i++) {
                work.to.push_back(slot_of(step.readers.site[i], shot));
                work.from.push_back(static_cast<int32_t>(kind_[s] * matrices) + step.readers.block[i]);
            }
        }
        for (size_t i = begin; i < work.rows.size(); i++) work.slot[work.rows[i] / shots] = -1;
    }
    kernels.add_rows({work.from.data(), work.to.data(), static_cast<int>(work.to.size())}, added_.data(), channels,
                     work.sums.data());
    activate(decoding, work.sums, work.rows.size(), channels, work.results);
}

template class Silence<float>;
template class Silence<Bfloat16>;

}  // namespace cascade
