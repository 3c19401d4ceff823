// What Python sees: arrays come in, are checked, and are copied into the layout of the kernels.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <type_traits>

#include "bfloat16.h"
#include "binding.h"
#include "packing.h"
#include "program.h"

namespace cascade {

void bind_belief_propagation(nb::module_& m);
void bind_matching(nb::module_& m);
void bind_ordered_statistics(nb::module_& m);
void bind_training(nb::module_& m);

namespace {

template <class T, int N>
Array<T, N> array(nb::handle owner, const char* name) {
    nb::object value = owner.attr(name);
    Array<T, N> found;
    if (!nb::try_cast(value, found, false))
        throw nb::type_error((std::string("expected ") + name +
                              " as a contiguous array of another shape or type, got " +
                              nb::repr(nb::getattr(value, "dtype", nb::none())).c_str() + " " +
                              nb::repr(nb::getattr(value, "shape", nb::none())).c_str())
                                 .c_str());
    return found;
}

Ints indices(nb::handle owner, const char* name, int64_t below) {
    Ints found = copied<int32_t>(array<int32_t, 1>(owner, name));
    for (int32_t i : found)
        if (i < 0 || i >= below) throw nb::value_error((std::string("expected ") + name + " within range").c_str());
    return found;
}

Floats row(nb::handle owner, const char* name, int size) {
    auto from = array<float, 1>(owner, name);
    expect(static_cast<int>(from.size()) <= size && padded(static_cast<int>(from.size())) == size,
           "expected rows of as many channels as the weights");
    Floats to(size, 0.f);
    std::copy_n(from.data(), from.size(), to.begin());
    return to;
}

// Matrices of any number, each padded to [inner, outer].
Floats matrices(const float* from, size_t count, size_t inner_from, size_t outer_from, int inner, int outer) {
    Floats to(count * inner * outer, 0.f);
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0; i < inner_from; i++)
            std::copy_n(from + (m * inner_from + i) * outer_from, outer_from, &to[(m * inner + i) * outer]);
    return to;
}

template <class Number>
Numbers<Number> matrix(nb::handle owner, const char* name, int inner, int outer) {
    auto from = array<float, 2>(owner, name);
    expect(padded(static_cast<int>(from.shape(0))) == inner && padded(static_cast<int>(from.shape(1))) == outer,
           "expected weights that fit one another");
    return packed<Number>(matrices(from.data(), 1, from.shape(0), from.shape(1), inner, outer), inner, outer);
}

Links links_of(nb::handle table, int sites_in) {
    return links_from(array<int32_t, 2>(table, "read"), array<int32_t, 1>(table, "plane"), sites_in);
}

struct Step {
    Step(const Links& links, int rows)
        : planes(links.planes),
          relations(links.relations),
          sites_out(links.sites_out),
          groups(std::make_shared<const Groups>(links.forward(rows))),
          reads(links.reads()),
          readers(links.readers()) {}

    int planes, relations, sites_out;
    std::shared_ptr<const Groups> groups;
    Links::Reads reads;
    Links::Readers readers;
};

template <class Number>
Convolution<Number> convolution(nb::handle weights, const char* name, const Step& step, int channels) {
    auto from = array<float, 4>(weights, name);
    expect(static_cast<int>(from.shape(0)) >= step.planes && static_cast<int>(from.shape(1)) == step.relations,
           "expected a convolution's weights for each plane and relation of its table");
    expect(padded(static_cast<int>(from.shape(2))) == channels && from.shape(2) == from.shape(3),
           "expected weights that fit one another");
    return {step.groups,
            step.sites_out,
            packed<Number>(
                matrices(from.data(), from.shape(0) * from.shape(1), from.shape(2), from.shape(3), channels, channels),
                channels, channels),
            {},
            step.reads,
            step.readers};
}

template <class Number>
void trunk_from(ProgramOf<Number>& program, int rows, nb::handle weights, nb::handle tables) {
    Trunk<Number>& trunk = program.trunk;
    auto embedding = array<float, 2>(weights, "embedding");
    trunk.width = padded(static_cast<int>(embedding.shape(1)));
    trunk.embedding = matrices(embedding.data(), 1, embedding.shape(0), embedding.shape(1),
                               static_cast<int>(embedding.shape(0)), trunk.width);
    program.bytes = nb::cast<int>(tables.attr("bytes"));
    trunk.byte = indices(tables, "byte", std::max(program.bytes, 1));
    trunk.sites = static_cast<int>(trunk.byte.size());
    trunk.shift = copied<uint8_t>(array<uint8_t, 1>(tables, "shift"));
    trunk.mask = copied<uint8_t>(array<uint8_t, 1>(tables, "mask"));
    trunk.fill = copied<uint8_t>(array<uint8_t, 1>(tables, "fill"));
    trunk.kind = indices(tables, "kind", static_cast<int64_t>(embedding.shape(0)));
    const size_t sites = trunk.sites;
    expect(sites > 0 && program.bytes > 0, "expected at least one site and one byte of events");
    expect(trunk.shift.size() == sites && trunk.mask.size() == sites && trunk.fill.size() == sites &&
               trunk.kind.size() == sites,
           "expected one entry for each site");
    for (size_t s = 0; s < sites; s++)
        expect(trunk.kind[s] + (trunk.mask[s] | trunk.fill[s]) < static_cast<int>(embedding.shape(0)),
               "expected states that the embedding knows");

    std::vector<Step> steps;
    int in = trunk.sites;
    for (nb::handle table : tables.attr("steps")) {
        steps.emplace_back(links_of(table, in), rows);
        in = steps.back().sites_out;
    }
    expect(!steps.empty() && in == trunk.sites, "expected convolutions from the sites to themselves");

    for (nb::handle from : weights.attr("blocks")) {
        Block<Number> block;
        if (trunk.blocks.empty()) trunk.channels = padded(static_cast<int>(array<float, 2>(from, "down").shape(1)));
        block.scale = row(from, "scale", trunk.width);
        block.shift = row(from, "shift", trunk.width);
        block.down = matrix<Number>(from, "down", trunk.width, trunk.channels);
        block.down_bias = row(from, "down_bias", trunk.channels);
        size_t step = 0;
        for (nb::handle one : from.attr("convolutions")) {
            expect(step < steps.size(), "expected a table for each convolution");
            block.convolutions.push_back(convolution<Number>(one, "weight", steps[step++], trunk.channels));
            block.convolutions.back().bias = row(one, "bias", trunk.channels);
        }
        expect(step == steps.size(), "expected a convolution for each table");
        block.up = matrix<Number>(from, "up", trunk.channels, trunk.width);
        trunk.blocks.push_back(std::move(block));
    }
    expect(!trunk.blocks.empty(), "expected at least one block");
    trunk.out_scale = row(weights, "scale", trunk.width);
    trunk.out_shift = row(weights, "shift", trunk.width);
}

template <class Number>
std::unique_ptr<LocalHead<Number>> local_from(const Trunk<Number>& trunk, nb::handle weights, nb::handle tables) {
    auto head = std::make_unique<LocalHead<Number>>();
    auto output = array<float, 2>(weights, "output");
    head->types = padded(static_cast<int>(output.shape(1)));
    head->output = matrix<Number>(weights, "output", trunk.width, head->types);
    head->bias = row(weights, "bias", head->types);
    head->owner = indices(tables, "owner", trunk.sites);
    head->type = indices(tables, "type", static_cast<int64_t>(output.shape(1)));
    expect(head->owner.size() == head->type.size(), "expected an owner and a type of each component");
    return head;
}

template <class Number>
std::unique_ptr<LogicalHead<Number>> logical_from(const Trunk<Number>& trunk, int rows, nb::handle weights,
                                                  nb::handle tables, bool exact) {
    auto head = std::make_unique<LogicalHead<Number>>();
    auto sites = array<int32_t, 2>(tables, "sites");
    head->places = static_cast<int>(sites.shape(0)), head->slices = static_cast<int>(sites.shape(1));
    expect(head->slices > 0, "expected at least one slice");
    head->sites = copied<int32_t>(sites);
    for (int32_t s : head->sites) expect(s >= 0 && s < trunk.sites, "expected sites within range");
    auto segments = array<int32_t, 2>(tables, "segments");
    expect(segments.shape(0) > 0 && segments.shape(1) == 2, "expected a first slice and an end of each segment");
    head->segments = copied<int32_t>(segments);
    for (size_t i = 0, at = 0; i < head->segments.size(); i += 2, at = head->segments[i - 1])
        expect(head->segments[i] == static_cast<int>(at) && head->segments[i + 1] > head->segments[i] &&
                   head->segments[i + 1] <= head->slices,
               "expected segments one after the other");
    expect(head->segments.back() == head->slices, "expected segments up to the last slice");
    const Ints order = indices(tables, "order", 2 * head->places);
    Ints inputs(2 * head->places, -1);
    for (size_t i = 0; i < order.size(); i++) inputs[order[i]] = static_cast<int32_t>(i);
    expect(order.size() == inputs.size() && std::count(inputs.begin(), inputs.end(), -1) == 0,
           "expected an order of both sums of each place");
    for (int place = 0; place < head->places; place++) {
        head->whole.push_back(inputs[2 * place]);
        head->later.push_back(inputs[2 * place + 1]);
    }
    head->to_data = convolution<Number>(weights, "to_data",
                                        Step(links_of(tables.attr("to_data"), 2 * head->places), rows), trunk.width);
    head->place = indices(tables, "place", head->to_data.sites_out);
    head->start = indices(tables, "start", static_cast<int64_t>(head->place.size()) + 1);
    expect(
        !head->start.empty() && head->start.front() == 0 && head->start.back() == static_cast<int>(head->place.size()),
        "expected the data places of each operator one after the other");
    for (size_t i = 1; i < head->start.size(); i++)
        expect(head->start[i - 1] <= head->start[i], "expected the data places of each operator one after the other");
    head->operators = static_cast<int>(head->start.size()) - 1;
    for (int o = 0; o < head->operators; o++) {
        const int places = head->start[o + 1] - head->start[o];
        head->fewest = o ? std::min(head->fewest, places) : places;
        head->most = std::max(head->most, places);
    }
    head->share = nb::cast<float>(tables.attr("share"));
    auto hidden = array<float, 2>(weights, "hidden");
    head->hidden_width = padded(static_cast<int>(hidden.shape(1)));
    head->hidden = matrix<Number>(weights, "hidden", trunk.width, head->hidden_width);
    auto biases = array<float, 2>(weights, "hidden_bias");
    expect(biases.shape(0) == segments.shape(0) && padded(static_cast<int>(biases.shape(1))) == head->hidden_width,
           "expected a bias of the hidden channels for each segment");
    head->hidden_bias = matrices(biases.data(), 1, biases.shape(0), biases.shape(1), static_cast<int>(biases.shape(0)),
                                 head->hidden_width);
    head->output = row(weights, "output", head->hidden_width);
    head->output_bias = nb::cast<float>(weights.attr("output_bias"));

    auto checks = array<int32_t, 2>(tables, "checks");
    expect(static_cast<int>(checks.shape(1)) == head->slices, "expected the sites of a check in all slices");
    head->checks = copied<int32_t>(checks);
    for (int32_t s : head->checks) expect(s >= 0 && s < trunk.sites, "expected sites within range");
    auto members = array<uint8_t, 2>(tables, "members");
    expect(static_cast<int>(members.shape(0)) == head->operators && members.shape(1) == checks.shape(0),
           "expected the checks in each operator");
    for (size_t c = 0; c < members.shape(1); c++)
        for (size_t o = 0; o < members.shape(0); o++)
            head->members.push_back(members.data()[o * members.shape(1) + c] != 0);

    auto bits = [](Array<uint8_t, 2> from) {
        Ints rows(from.shape(0), 0);
        for (size_t i = 0; i < from.shape(0); i++)
            for (size_t j = 0; j < from.shape(1); j++) rows[i] |= (from.data()[i * from.shape(1) + j] & 1) << j;
        return rows;
    };
    auto logicals = array<uint8_t, 2>(tables, "logicals"), wanted = array<uint8_t, 2>(tables, "wanted");
    expect(static_cast<int>(logicals.shape(0)) == head->operators && logicals.shape(1) == wanted.shape(1),
           "expected the observables in each operator");
    const int k = static_cast<int>(logicals.shape(1));
    expect(!exact || (k > 0 && k <= 16 && wanted.shape(0) <= 64),
           "expected at most 16 observables of the code and 64 of the experiment");
    if (exact)
        head->decision =
            std::make_unique<Decision>(k, bits(logicals), bits(wanted), nb::cast<float>(tables.attr("scale")));
    return head;
}

using Peaks = Array<float, 2>;

template <class Number>
Program* program_of(const Decoding<Number>* decoding, nb::handle weights, nb::handle head, nb::handle tables,
                    nb::handle head_tables, bool local, bool exact, const std::optional<Peaks>& peaks) {
    auto made = std::make_unique<ProgramOf<Number>>(kernels(), decoding);
    trunk_from(*made, decoding->rows, weights, tables);
    if (local)
        made->local = local_from(made->trunk, head, head_tables);
    else
        made->logical = logical_from(made->trunk, decoding->rows, head, head_tables, exact);
    made->prepare();
    if constexpr (std::is_same_v<Number, Bfloat16>)
        if (peaks) {
            expect(int8_kernels(), "expected a chip that multiplies bytes");
            expect(peaks->shape(0) == made->trunk.blocks.size() * made->trunk.blocks[0].convolutions.size() &&
                       static_cast<int>(peaks->shape(1)) == made->trunk.channels,
                   "expected the peaks of each convolution and channel");
            made->use_eight_bits(int8_kernels(), peaks->data());
        }
    return made.release();
}

Program* program(nb::handle weights, nb::handle head, nb::handle tables, nb::handle head_tables, bool local, bool exact,
                 bool bfloat16, const std::optional<Peaks>& peaks) {
    expect(bfloat16 || !peaks, "expected eight bits beside bfloat16");
    if (!bfloat16) return program_of(&kernels()->decoding, weights, head, tables, head_tables, local, exact, peaks);
    expect(bfloat16_kernels(), "expected a chip that multiplies bfloat16");
    return program_of(bfloat16_kernels(), weights, head, tables, head_tables, local, exact, peaks);
}

using Packed = Array<uint8_t, 2>;

void expect_bytes(const Program& program, const Packed& packed) {
    expect(static_cast<int>(packed.shape(1)) == program.bytes,
           "expected events packed in " + std::to_string(program.bytes) + " bytes a shot, got " +
               std::to_string(packed.shape(1)));
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "Kernels of cascade-qec for CPUs.";
    nb::set_leak_warnings(false);  // tables that a process keeps to its end are no leaks
    bind_belief_propagation(m);
    bind_matching(m);
    bind_ordered_statistics(m);
    bind_training(m);
    m.def(
        "instruction_sets",
        [] {
            std::vector<std::string> found;
            for (const Kernels* one : all_kernels()) found.emplace_back(one->name);
            return found;
        },
        "Those that this processor has, the widest first; CASCADE_INSTRUCTIONS chooses another one than that.");

    m.def("lanes", [] { return kernels()->lanes; }, "Of which training takes channels in multiples.");

    m.def("has_bfloat16", [] { return bfloat16_kernels() != nullptr; }, "Whether these kernels multiply bfloat16.");

    m.def("has_int8", [] { return int8_kernels() != nullptr; }, "Whether they multiply eight bits, too.");

    nb::class_<Program>(m, "Program")
        .def(nb::new_(&program), nb::arg("trunk"), nb::arg("head"), nb::arg("tables"), nb::arg("head_tables"),
             nb::kw_only(), nb::arg("local"), nb::arg("exact") = false, nb::arg("bfloat16") = false,
             nb::arg("peaks") = nb::none())
        .def(
            "peaks",
            [](const Program& self, Packed packed) {
                expect_bytes(self, packed);
                auto out = fresh<float>({static_cast<size_t>(self.convolutions), static_cast<size_t>(self.channels)});
                self.peaks(packed.data(), packed.shape(0), out.data());
                return out;
            },
            nb::arg("packed"))
        .def(
            "evidence",
            [](const Program& self, Packed packed, int threads) {
                expect_bytes(self, packed);
                auto out = fresh<float>({packed.shape(0), static_cast<size_t>(self.asked)});
                {
                    nb::gil_scoped_release release;
                    self.evidence(packed.data(), packed.shape(0), out.data(), threads);
                }
                return out;
            },
            nb::arg("packed"), nb::kw_only(), nb::arg("threads") = 1)
        .def(
            "decide",
            [](const Program& self, Packed packed, int threads) {
                expect(self.decides, "expected a logical head with few observables");
                expect_bytes(self, packed);
                const size_t shots = packed.shape(0), decided = self.decided;
                auto observables = fresh<bool>({shots, decided});
                auto suspects = fresh<float>({shots, decided}), log_odds = fresh<float>({shots});
                {
                    nb::gil_scoped_release release;
                    self.decide(packed.data(), shots, observables.data(), suspects.data(), log_odds.data(), threads);
                }
                return nb::make_tuple(observables, suspects, log_odds);
            },
            nb::arg("packed"), nb::kw_only(), nb::arg("threads") = 1);
}

}  // namespace cascade
