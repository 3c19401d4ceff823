#include "program.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

#include "bfloat16.h"
#include "eight_bits.h"
#include "silence.h"

namespace cascade {

namespace {

constexpr size_t CHUNK_FLOATS = 1 << 17;  // of the residual stream of a chunk of shots: about half of a second cache
constexpr int FEWEST_SHOTS = 4;           // of one, where there are as many: what tiles of several sites are best at
constexpr int MOST_SHOTS = 24;            // of a chunk: a multiple of the rows of every tile, bits of a number

// The shots in which a site reads one that differs.
void reach(const Links::Reads& reads, const Shots& differs, uint32_t every, Shots& reached) {
    reached.resize(reads.start.size() - 1);
    const int32_t *start = reads.start.data(), *site = reads.site.data();
    for (size_t s = 0; s < reached.size(); s++) {
        uint32_t found = 0;
        for (int32_t i = start[s]; i < start[s + 1] && found != every; i++) found |= differs[site[i]];
        reached[s] = found;
    }
}

// Log-odds that one of two things holds and the other does not, from theirs.
float either(float a, float b) {
    const float total = std::fabs(a + b), difference = std::fabs(a - b);
    return std::max(a, b) - std::max(a + b, 0.f) + std::log1p(std::exp(-difference)) - std::log1p(std::exp(-total));
}

}  // namespace

template <class Number>
struct ProgramOf<Number>::Space {
    std::vector<uint8_t> states;    // [sites, shots]
    Floats x;                       // the residual stream
    Numbers<Number> a, b, scratch;  // two of narrow width with a row of zeros behind them, a tile
    Numbers<Number> features, sums, rows;
    Numbers<Byte> bytes;  // of what a convolution reads
    typename Silence<Number>::Work first;
    Shots stream, differs, wanted, fresh;  // [sites]: bits of shots
    Floats totals, steps, read, parts, typed, evidence, others;
    Decision::Work decision;
    Numbers<int16_t> halves;   // for the readout in sixteen bits
    std::vector<uint8_t> odd;  // [operators]
};

template <class Number>
ProgramOf<Number>::ProgramOf(const Kernels* use, const Decoding<Number>* decoding) : use_(use), decoding_(decoding) {}

template <class Number>
ProgramOf<Number>::~ProgramOf() = default;

template <class Number>
std::unique_ptr<typename ProgramOf<Number>::Space> ProgramOf<Number>::take() const {
    const std::lock_guard<std::mutex> lock(spaces_);
    if (free_.empty()) return std::make_unique<Space>();
    std::unique_ptr<Space> space = std::move(free_.back());
    free_.pop_back();
    return space;
}

template <class Number>
void ProgramOf<Number>::give_back(std::unique_ptr<Space> space) const {
    const std::lock_guard<std::mutex> lock(spaces_);
    free_.push_back(std::move(space));
}

template <class Number>
void ProgramOf<Number>::prepare() {
    silence_ = std::make_unique<Silence<Number>>();
    silence_->prepare(trunk, *decoding_);
    channels = trunk.channels;
    convolutions = static_cast<int>(trunk.blocks.size() * trunk.blocks[0].convolutions.size());
    asked = logical ? logical->operators : static_cast<int>(local->owner.size());
    decides = logical && logical->decision;
    if (decides) decided = logical->decision->decided();
    const size_t floats = static_cast<size_t>(trunk.sites) * trunk.width;
    const int fit = static_cast<int>(std::min<size_t>(CHUNK_FLOATS / floats, MOST_SHOTS));
    chunk_ = fit < decoding_->rows ? FEWEST_SHOTS : fit - fit % decoding_->rows;  // whole tiles
}

template <class Number>
void ProgramOf<Number>::trunk_of(Space& space, const uint8_t* packed, int shots, float* peaks) const {
    const int sites = trunk.sites, width = trunk.width;
    size_t most = sites;
    for (const Convolution<Number>& step : trunk.blocks[0].convolutions) most = std::max<size_t>(most, step.sites_out);
    const size_t narrow = (most + 1) * shots * channels;
    space.states.resize(static_cast<size_t>(sites) * shots);
    space.x.resize(static_cast<size_t>(sites) * shots * width);
    space.scratch.resize(static_cast<size_t>(MOST_ROWS) * width);
    space.a.resize(narrow);
    space.b.resize(narrow);
    float* x = space.x.data();
    Number *a = space.a.data(), *b = space.b.data();
    // Where the stream, and what is read next, differ from those of silent shots.
    Shots &stream = space.stream, &differs = space.differs, &wanted = space.wanted;
    stream.assign(sites, 0);
    for (int s = 0; s < sites; s++)
        for (int shot = 0; shot < shots; shot++) {
            const uint8_t bits = packed[static_cast<size_t>(shot) * bytes + trunk.byte[s]];
            const uint8_t state = ((bits >> trunk.shift[s]) & trunk.mask[s]) | trunk.fill[s];
            const size_t row = static_cast<size_t>(s) * shots + shot;
            space.states[row] = state;
            if (state == trunk.fill[s]) continue;
            stream[s] |= uint32_t{1} << shot;
            copy_row(&trunk.embedding[static_cast<size_t>(trunk.kind[s] + state) * width], width, x + row * width);
        }
    differs = stream;
    const uint32_t every = ~uint32_t{0} >> (32 - shots);

    size_t number = 0;
    bool full = false;  // whether they differ everywhere
    for (size_t layer = 0; layer < trunk.blocks.size(); layer++) {
        const Block<Number>& block = trunk.blocks[layer];
        const After<Number> behind = trunk.after(layer, x, space.scratch.data());
        for (const Convolution<Number>& step : block.convolutions) {
            const After<Number>* after = &step == &block.convolutions.back() ? &behind : nullptr;
            full = full && step.reads.all;
            if (!full) reach(step.reads, differs, every, wanted);
            if (!full && after) {
                space.fresh.resize(sites);
                for (int s = 0; s < sites; s++) {
                    wanted[s] |= stream[s];
                    space.fresh[s] = wanted[s] & ~stream[s];
                }
                use_->fill(space.fresh.data(), sites, shots, silence_->stream(layer).data(), width, x);
                stream = wanted;
            }
            if (number == 0)
                first_convolution(space, shots, after, b);
            else
                convolution(space, step, number, shots, full ? nullptr : wanted.data(), after, a, b);
            std::swap(a, b);
            if (++number == static_cast<size_t>(convolutions)) break;
            if (full) {
                differs.assign(step.sites_out, every);
            } else {
                differs.swap(wanted);
                space.fresh.resize(step.sites_out);
                for (int s = 0; s < step.sites_out; s++) space.fresh[s] = every & ~differs[s];
                fill(silence_->read(number), space.fresh, shots, channels, a);
                const auto whole = [every](uint32_t some) { return some == every; };
                full = after && std::all_of(differs.begin(), differs.end(), whole);  // and the stream with it
            }
            // the row of zeros is behind the sites that the next step reads
            std::fill_n(a + static_cast<size_t>(step.sites_out) * shots * channels,
                        static_cast<size_t>(shots) * channels, Number{});
            for (size_t i = 0; peaks && i < static_cast<size_t>(step.sites_out) * shots * channels; i++) {
                float& peak = peaks[number * channels + i % channels];
                peak = std::max(peak, as_float(a[i]));
            }
        }
    }
    space.fresh.resize(sites);
    for (int s = 0; s < sites; s++) space.fresh[s] = every & ~stream[s];
    use_->fill(space.fresh.data(), sites, shots, silence_->stream(trunk.blocks.size()).data(), width, x);
}

// The first one, by the events.
template <class Number>
void ProgramOf<Number>::first_convolution(Space& space, int shots, const After<Number>* after, Number* y) const {
    typename Silence<Number>::Work& work = space.first;
    silence_->first_convolution(trunk, *use_, *decoding_, space.states.data(), shots, work);
    const int count = static_cast<int>(work.rows.size());
    if (after) {
        decoding_->behind(work.rows.data(), count, work.results.data(), channels, y, after);
        return;
    }
    for (int i = 0; i < count; i++)
        copy_row(&work.results[static_cast<size_t>(i) * channels], channels,
                 y + static_cast<ptrdiff_t>(work.rows[i]) * channels);
}

// Another one, of the rows that are wanted.
template <class Number>
void ProgramOf<Number>::convolution(Space& space, const Convolution<Number>& step, size_t number, int shots,
                                    const uint32_t* wanted, const After<Number>* after, const Number* x,
                                    Number* y) const {
    const std::vector<Group>& all = step.groups->of(shots, decoding_->rows);
    const int groups = static_cast<int>(all.size());
    if constexpr (std::is_same_v<Number, Bfloat16>)
        if (decoding8_) {
            const Convolution8& use = eight_bits_[number - 1];
            const size_t rows = (step.readers.start.size() - 1) * shots;
            space.bytes.resize((rows + shots) * channels);
            decoding8_->round(x, use.times.data(), rows, channels, space.bytes.data());
            std::fill_n(&space.bytes[rows * channels], static_cast<size_t>(shots) * channels, Byte{});
            decoding8_->convolve(all.data(), groups, shots, wanted, space.bytes.data(), channels, use.weight.data(),
                                 use.scale.data(), use.bias.data(), y, after);
            return;
        }
    decoding_->convolve(all.data(), groups, shots, wanted, x, channels, step.weight.data(), step.bias.data(), y, after);
}

template <class Number>
void ProgramOf<Number>::use_eight_bits(const Decoding8* decoding, const float* peaks) {
    decoding8_ = decoding;
    if constexpr (std::is_same_v<Number, Bfloat16>) {
        size_t number = 0;
        for (const Block<Number>& block : trunk.blocks)
            for (const Convolution<Number>& step : block.convolutions) {
                if (number) eight_bits_.push_back(in_eight_bits(step, peaks + number * channels, channels));
                number++;
            }
        if (logical) eight_bits_.push_back(head_in_eight_bits(logical->to_data, trunk.width));
    }
}

template <class Number>
void ProgramOf<Number>::peaks(const uint8_t* packed, size_t shots, float* out) const {
    std::fill_n(out, static_cast<size_t>(convolutions) * channels, 0.f);
    chunks(shots, 1,
           [&](Space& space, size_t start, int count) { trunk_of(space, packed + start * bytes, count, out); });
}

// The head's convolution of a segment's sums over time; what is read is left in `space`, in steps of its shot.
template <class Number>
void ProgramOf<Number>::convolve_head(Space& space, int segment, int shots) const {
    const LogicalHead<Number>& head = *logical;
    const int width = trunk.width;
    const size_t row = static_cast<size_t>(shots) * width, inputs = 2 * head.whole.size();
    const std::vector<Group>& all = head.to_data.groups->of(shots, decoding_->rows);
    const int groups = static_cast<int>(all.size());
    space.read.resize(head.to_data.sites_out * row);
    space.steps.assign(shots, 1.f);
    const int start = head.segments[2 * segment], stop = head.segments[2 * segment + 1];
    const auto sum = [&](const auto& kernels, auto* to) {
        for (int place = 0; place < head.places; place++)
            kernels.sum_gated(space.x.data(), trunk.out_scale.data(), trunk.out_shift.data(),
                              &head.sites[static_cast<size_t>(place) * head.slices + start], stop - start,
                              stop < head.slices, shots, width, to + head.whole[place] * row,
                              to + head.later[place] * row);
    };
    if constexpr (std::is_same_v<Number, Bfloat16>)
        if (decoding8_) {
            const Convolution8& use = eight_bits_.back();
            space.totals.resize(inputs * row);
            sum(*decoding8_, space.totals.data());
            space.bytes.resize((inputs + 1) * row);
            decoding8_->round_shots(space.totals.data(), inputs, shots, width, space.steps.data(), space.bytes.data());
            std::fill_n(&space.bytes[inputs * row], row, Byte{});
            decoding8_->convolve_head(all.data(), groups, shots, space.bytes.data(), width, use.weight.data(),
                                      use.scale.data(), use.bias.data(), space.read.data());
            return;
        }
    space.sums.resize((inputs + 1) * row);
    sum(*decoding_, space.sums.data());
    std::fill_n(&space.sums[inputs * row], row, Number{});
    decoding_->convolve_head(all.data(), groups, shots, space.sums.data(), width, head.to_data.weight.data(),
                             space.read.data());
}

// Whether each operator's checks have an odd sum in a shot.
template <class Number>
void ProgramOf<Number>::parities(Space& space, int shot, int shots) const {
    const LogicalHead<Number>& head = *logical;
    const size_t operators = head.operators;
    space.odd.assign(operators, 0);
    uint8_t* odd = space.odd.data();
    const uint8_t* members = head.members.data();
    for (size_t check = 0; check < head.checks.size(); check += head.slices, members += operators) {
        int sum = 0;
        for (int t = 0; t < head.slices; t++)
            sum ^= space.states[static_cast<size_t>(head.checks[check + t]) * shots + shot];
        if (sum & 1)
            for (size_t o = 0; o < operators; o++) odd[o] ^= members[o];
    }
}

template <class Number>
void ProgramOf<Number>::head_of(Space& space, int shots, float* out) const {
    if (local) {
        const int width = trunk.width, sites = trunk.sites;
        const float* x = space.x.data();
        const LocalHead<Number>& head = *local;
        space.features.resize(space.x.size());
        space.typed.resize(static_cast<size_t>(sites) * shots * head.types);
        decoding_->gate(x, trunk.out_scale.data(), trunk.out_shift.data(), sites * shots, width, space.features.data());
        decoding_->product(space.features.data(), sites * shots, width, head.output.data(), head.bias.data(),
                           head.types, false, space.typed.data());
        for (int shot = 0; shot < shots; shot++)
            for (int i = 0; i < asked; i++)
                out[static_cast<size_t>(shot) * asked + i] =
                    space.typed[(static_cast<size_t>(head.owner[i]) * shots + shot) * head.types + head.type[i]];
        return;
    }

    const size_t operators = logical->operators;
    read_segment(space, 0, shots, out);
    for (int segment = 1; 2 * segment < static_cast<int>(logical->segments.size()); segment++) {
        space.others.resize(shots * operators);
        read_segment(space, segment, shots, space.others.data());
        for (size_t i = 0; i < shots * operators; i++) out[i] = either(out[i], space.others[i]);
    }
    for (int shot = 0; shot < shots; shot++, out += operators) {
        parities(space, shot, shots);
        for (size_t o = 0; o < operators; o++)
            if (space.odd[o]) out[o] = -out[o];
    }
}

// Log-odds that a segment flips each operator, [shots, operators].
template <class Number>
void ProgramOf<Number>::read_segment(Space& space, int segment, int shots, float* out) const {
    const int width = trunk.width;
    const LogicalHead<Number>& head = *logical;
    convolve_head(space, segment, shots);
    Readout<Number> readout{head.to_data.sites_out,
                            width,
                            head.hidden_width,
                            head.operators,
                            head.start.data(),
                            head.place.data(),
                            head.fewest,
                            head.most,
                            head.share,
                            head.hidden.data(),
                            &head.hidden_bias[static_cast<size_t>(segment) * head.hidden_width],
                            head.output.data()};
    space.rows.resize(static_cast<size_t>(readout.places) * width);
    space.parts.resize(static_cast<size_t>(readout.places + 5) * std::max(head.hidden_width, READ_AT_ONCE));
    space.halves.resize(decoding8_ ? space.parts.size() : 0);
    for (int shot = 0; shot < shots; shot++, out += head.operators) {
        readout.share = head.share * space.steps[shot];
        const float* read = &space.read[static_cast<size_t>(shot) * width];
        bool done = false;
        if constexpr (std::is_same_v<Number, Bfloat16>)
            if ((done = decoding8_))
                decoding8_->read_out(readout, read, shots, space.rows.data(), space.parts.data(), space.halves.data(),
                                     out);
        if (!done) decoding_->read_out(readout, read, shots, space.rows.data(), space.parts.data(), out);
        for (int o = 0; o < head.operators; o++) out[o] += head.output_bias;
    }
}

template <class Number>
template <class Each>
void ProgramOf<Number>::chunks(size_t shots, int threads, Each each) const {
    threads = std::max(threads, 1);
    const size_t each_thread = (shots + threads - 1) / threads, chunk = std::clamp<size_t>(each_thread, 1, chunk_),
                 count = (shots + chunk - 1) / chunk;
    threads = static_cast<int>(std::min<size_t>(threads, count));
    auto work = [&](size_t thread) {
        std::unique_ptr<Space> space = take();
        for (size_t i = thread; i < count; i += threads) {
            const size_t start = i * chunk;
            each(*space, start, static_cast<int>(std::min(chunk, shots - start)));
        }
        give_back(std::move(space));
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; thread++) others.emplace_back(work, thread);
    if (threads > 0) work(0);
    for (std::thread& other : others) other.join();
}

template <class Number>
void ProgramOf<Number>::evidence(const uint8_t* packed, size_t shots, float* out, int threads) const {
    chunks(shots, threads, [&](Space& space, size_t start, int count) {
        trunk_of(space, packed + start * bytes, count);
        head_of(space, count, out + start * asked);
    });
}

template <class Number>
void ProgramOf<Number>::decide(const uint8_t* packed, size_t shots, bool* observables, float* suspects, float* log_odds,
                               int threads) const {
    const size_t operators = logical->operators;
    chunks(shots, threads, [&](Space& space, size_t start, int count) {
        trunk_of(space, packed + start * bytes, count);
        space.evidence.resize(count * operators);
        head_of(space, count, space.evidence.data());
        for (int shot = 0; shot < count; shot++) {
            const size_t at = start + shot;
            (*logical->decision)(use_->classes, &space.evidence[shot * operators], space.decision,
                                 observables + at * decided, suspects + at * decided, log_odds + at);
        }
    });
}

template class ProgramOf<float>;
template class ProgramOf<Bfloat16>;

}  // namespace cascade
