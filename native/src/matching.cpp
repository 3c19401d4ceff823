#include "matching.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include "perfect_matching.h"
#include "shots.h"

namespace cascade {

namespace {

constexpr int64_t NEVER = int64_t{1} << 60;  // the weight of what there is not; sums of several are numbers still
constexpr double FINEST = 1 << 24;           // weights are counted in the finest cost
constexpr size_t MOST = 1 << 26;             // of rows and components
constexpr int MOST_MATCHED = 128;            // defects that depend on one another: the work grows as their cube
constexpr size_t LEADS_FAR = Matching::MOST_OBSERVABLES;  // the bit of what is flipped that says so

struct Pair {
    int a, b;  // defects, a < b
    int64_t weight;
    Matching::Flips flips;
};

struct Step {
    int64_t distance;
    int32_t row;
    bool operator<(const Step& other) const { return distance > other.distance; }  // the nearest first, in a heap
};

// Defects of which none is better off with one of another group, and their pairs.
struct Group {
    const int* members;
    int count;
    const Pair *begin, *end;
};

}  // namespace

// Kept from shot to shot, so that memory is taken seldom.
struct Matching::Space {
    std::vector<int64_t> weight, kept;  // [components]: of all, and of those that are not left out
    std::vector<uint8_t> lit;           // [rows]
    std::vector<int32_t> defects;       // the rows of them
    std::vector<int32_t> place;         // [rows]: which defect is there, or -1
    Flips flipped, chosen;              // by what is likelier than not, and by the solution's paths

    std::vector<int64_t> distance;  // [rows], NEVER but where a search is
    std::vector<Flips> path;        // [rows]: what the way there flips
    std::vector<int32_t> touched;
    std::vector<Step> steps;

    std::vector<int64_t> near, far;              // [defects]: the way to either boundary
    std::vector<Flips> way;                      // [defects]: what that to the near one flips
    std::vector<int64_t> near_after, far_after;  // [defects + 1]: the longest way of the defects from there on
    int64_t across;                              // from one boundary to the other
    std::vector<Pair> pairs;                     // those that are better off together than both at one boundary
    std::vector<int> group;                      // [defects]: one of its group
    std::vector<int> order, size;                // defects, group by group
    std::vector<int> local;                      // [defects]: which one of its group
    std::vector<int64_t> cost;
    PerfectMatching match;
    const int* mate;

    void begin_search() {
        for (int32_t row : touched) distance[row] = NEVER;
        touched.clear();
        steps.clear();
    }

    void step(int32_t row, int64_t to, const Flips& flips) {
        if (to >= distance[row]) return;
        if (distance[row] == NEVER) touched.push_back(row);
        distance[row] = to;
        path[row] = flips;
        steps.push_back({to, row});
        std::push_heap(steps.begin(), steps.end());
    }

    int root(int a) {
        while (group[a] != a) a = group[a] = group[group[a]];
        return a;
    }

    // The least weight with which a group is explained, with an even or odd number of ways to the far boundary: NEVER
    // if there is none, less than 0 if it is too large. Of three and more defects it says who is whose mate.
    int64_t lightest(const Group& of, int odd) {
        const int first = of.members[0], count = of.count, odd_near = (count + odd) % 2;
        if ((odd && far[first] >= NEVER) || (odd_near && near[first] >= NEVER)) return NEVER;
        if (count == 1) return odd ? far[first] : near[first];
        const int second = of.members[1];
        if (count == 2) return odd ? std::min(near[first] + far[second], far[first] + near[second]) : of.begin->weight;
        if (count > MOST_MATCHED) return -1;

        const int size = count + odd_near + odd;
        cost.assign(static_cast<size_t>(size) * size, 0);
        const auto set = [&](int i, int j, int64_t value) { cost[i * size + j] = cost[j * size + i] = value; };
        for (int i = 0; i < count; i++) {
            const int a = of.members[i];
            for (int j = 0; j < i; j++) {
                const int b = of.members[j];
                set(i, j, std::min(near[a] + near[b], far[a] + far[b]));
            }
            if (odd_near) set(i, count, near[a]);
            if (odd) set(i, size - 1, far[a]);
        }
        if (odd && odd_near) set(count, size - 1, across);
        for (const Pair* pair = of.begin; pair != of.end; pair++) set(local[pair->a], local[pair->b], pair->weight);
        if (*std::max_element(cost.begin(), cost.end()) > PerfectMatching::MOST) return -1;
        const std::vector<int>& mates = match(size, cost.data());
        mate = mates.data();
        int64_t sum = 0;
        for (int i = 0; i < size; i++)
            if (mate[i] > i) sum += cost[static_cast<size_t>(i) * size + mate[i]];
        return sum;
    }

    // Calls `body` with each group as long as it returns true.
    template <class Body>
    void each_group(Body body) {
        const int count = static_cast<int>(defects.size());
        const Pair *pair = pairs.data(), *const end = pair + pairs.size();
        for (int first = 0; first < count;) {
            const int* members = order.data() + first;
            const int root = group[*members];
            Group found{members, size[root], pair, pair};
            while (found.end != end && group[found.end->a] == root) found.end++;
            if (!body(found)) return;
            pair = found.end;
            first += found.count;
        }
    }
};

Matching::Matching(const int64_t* start, size_t components, const int64_t* row, size_t entries, int64_t rows,
                   const uint8_t* observables, size_t k, double least, const uint8_t* far) {
    if (components >= MOST || rows < 0 || rows >= static_cast<int64_t>(MOST))
        throw std::invalid_argument("expected fewer components and rows");
    if (k > MOST_OBSERVABLES) throw std::invalid_argument("expected at most 255 observables");
    if (!(least == least)) throw std::invalid_argument("expected log-odds as a number");
    if (start[0] != 0 || start[components] != static_cast<int64_t>(entries))
        throw std::invalid_argument("expected the rows of each component one after the other");
    for (size_t c = 0; c < components; c++)
        if (start[c + 1] <= start[c] || start[c + 1] > start[c] + 2)
            throw std::invalid_argument("expected one or two rows of each component, one after the other");
    for (size_t i = 0; i < entries; i++)
        if (row[i] < 0 || row[i] >= rows) throw std::invalid_argument("expected rows within range");
    components_ = static_cast<int>(components), rows_ = static_cast<int>(rows), k_ = static_cast<int>(k);
    least_ = rounded_down(least);
    flips_.assign(components, {});
    first_.assign(rows + 1, 0);
    for (int c = 0; c < components_; c++) {
        const bool paired = start[c + 1] == start[c] + 2;
        const int32_t a = static_cast<int32_t>(row[start[c]]),
                      b = paired ? static_cast<int32_t>(row[start[c] + 1]) : -1;
        if (a == b) throw std::invalid_argument("expected two different rows of a component");
        if (far[c] && paired) throw std::invalid_argument("expected components of one row to lead far");
        ends_.push_back(a);
        ends_.push_back(b);
        for (size_t i = 0; i < k; i++)
            if (observables[c * k + i]) flips_[c].set(i);
        if (far[c]) flips_[c].set(LEADS_FAR);
        if (paired)
            first_[a + 1]++, first_[b + 1]++;
        else
            boundary_.push_back({a, c}), (far[c] ? far_ : near_).push_back({a, c});
    }
    for (int64_t r = 0; r < rows; r++) first_[r + 1] += first_[r];
    links_.resize(first_.back());
    std::vector<int32_t> at(first_.begin(), first_.end() - 1);
    for (int c = 0; c < components_; c++) {
        const int32_t a = ends_[2 * c], b = ends_[2 * c + 1];
        if (b < 0) continue;
        links_[at[a]++] = {b, c};
        links_[at[b]++] = {a, c};
    }
}

void Matching::decode(const float* log_odds, const uint8_t* lit, size_t shots, bool* observables, float* gaps,
                      bool* decided, int threads) const {
    in_threads(shots, threads, [&](size_t first, size_t last) {
        Space space;
        space.distance.assign(rows_, NEVER);
        space.path.assign(rows_, {});
        space.place.assign(rows_, -1);
        for (size_t shot = first; shot < last; shot++)
            decided[shot] = decode_one(space, log_odds + shot * components_, lit + shot * rows_,
                                       observables + shot * k_, gaps ? gaps + shot : nullptr);
    });
}

bool Matching::decode_one(Space& space, const float* log_odds, const uint8_t* lit, bool* observables,
                          float* gap) const {
    std::fill_n(observables, k_, false);
    if (gap) *gap = 0;
    weigh(space, log_odds, lit);
    Found found = decide(space, space.kept);
    if (found == Found::NONE) found = decide(space, space.weight);
    if (found == Found::SOLUTION) {
        const Flips flips = space.flipped ^ space.chosen;
        for (int i = 0; i < k_; i++) observables[i] = flips[i];
        if (gap) found = compare(space, gap);
    }
    for (int32_t row : space.defects) space.place[row] = -1;
    return found != Found::TOO_LARGE;
}

// The weights of a shot, none of them negative, and what is lit when the likely components are flipped.
void Matching::weigh(Space& space, const float* log_odds, const uint8_t* lit) const {
    space.weight.resize(components_);
    space.kept.resize(components_);
    space.lit.assign(lit, lit + rows_);
    space.flipped = {};
    for (int c = 0; c < components_; c++) {
        const int64_t weight = static_cast<int64_t>(std::abs(cost_of(log_odds[c])) * FINEST);
        space.weight[c] = weight;
        space.kept[c] = log_odds[c] > least_ ? weight : NEVER;
        if (!(log_odds[c] > 0)) continue;
        space.flipped ^= flips_[c];
        for (int32_t row : {ends_[2 * c], ends_[2 * c + 1]})
            if (row >= 0) space.lit[row] = !space.lit[row];
    }
    space.defects.clear();
    for (int32_t row = 0; row < rows_; row++)
        if (space.lit[row]) {
            space.place[row] = static_cast<int32_t>(space.defects.size());
            space.defects.push_back(row);
        }
}

// Dijkstra's search from where the first steps are. `visit` is told of rows and distances, ascending, until it returns
// false.
template <class Visit>
void Matching::spread(Space& space, const std::vector<int64_t>& weight, Visit visit) const {
    while (!space.steps.empty()) {
        const auto [distance, row] = space.steps.front();
        std::pop_heap(space.steps.begin(), space.steps.end());
        space.steps.pop_back();
        if (distance > space.distance[row]) continue;
        if (!visit(row, distance)) return;
        for (int i = first_[row]; i < first_[row + 1]; i++) {
            const Link& link = links_[i];
            space.step(link.row, distance + weight[link.component], space.path[row] ^ flips_[link.component]);
        }
    }
}

// What defects are better off with one another than both at one boundary, and the groups that these pairs make.
void Matching::pair_up(Space& space, const std::vector<int64_t>& weight) const {
    const int count = static_cast<int>(space.defects.size());
    space.near_after.assign(count + 1, 0);
    space.far_after.assign(count + 1, 0);
    space.group.resize(count);
    for (int a = count; a-- > 0;) {
        space.near_after[a] = std::max(space.near_after[a + 1], space.near[a]);
        space.far_after[a] = std::max(space.far_after[a + 1], space.far[a]);
        space.group[a] = a;
    }
    space.pairs.clear();
    for (int a = 0; a + 1 < count; a++) {
        const int64_t most = std::min(space.near[a] + space.near_after[a + 1], space.far[a] + space.far_after[a + 1]);
        int left = count - a - 1;
        space.begin_search();
        space.step(space.defects[a], 0, {});
        spread(space, weight, [&](int32_t row, int64_t distance) {
            if (distance >= most) return false;
            const int b = space.place[row];
            if (b <= a) return true;
            if (distance < std::min(space.near[a] + space.near[b], space.far[a] + space.far[b])) {
                space.pairs.push_back({a, b, distance, space.path[row]});
                space.group[space.root(a)] = space.root(b);
            }
            return --left > 0;
        });
    }

    space.size.assign(count, 0);
    space.order.resize(count);
    space.local.resize(count);
    for (int a = 0; a < count; a++) {
        space.group[a] = space.root(a);
        space.local[a] = space.size[space.group[a]]++;
        space.order[a] = a;
    }
    const auto& group = space.group;
    std::sort(space.order.begin(), space.order.end(),
              [&](int a, int b) { return group[a] < group[b] || (group[a] == group[b] && a < b); });
    std::stable_sort(space.pairs.begin(), space.pairs.end(),
                     [&](const Pair& one, const Pair& other) { return group[one.a] < group[other.a]; });
}

// What the lightest solution flips.
Matching::Found Matching::decide(Space& space, const std::vector<int64_t>& weight) const {
    const size_t count = space.defects.size();
    space.chosen = {};
    if (!count) return Found::SOLUTION;
    space.near.assign(count, NEVER);
    space.far.assign(count, NEVER);  // here both are one
    space.way.resize(count);
    space.begin_search();
    for (const Link& link : boundary_) space.step(link.row, weight[link.component], flips_[link.component]);
    size_t left = count;
    spread(space, weight, [&](int32_t row, int64_t distance) {
        const int a = space.place[row];
        if (a < 0) return true;
        space.near[a] = distance;
        space.way[a] = space.path[row];
        return --left > 0;
    });
    pair_up(space, weight);

    Found found = Found::SOLUTION;
    space.each_group([&](const Group& group) {
        const int64_t least = space.lightest(group, 0);
        if (least < 0) found = Found::TOO_LARGE;
        if (least >= NEVER) found = Found::NONE;
        if (found != Found::SOLUTION) return false;
        for (int i = 0; i < group.count; i++)
            if (group.count != 2) space.chosen ^= space.way[group.members[i]];
        for (const Pair* pair = group.begin; pair != group.end; pair++) {
            if (group.count > 2 && space.mate[space.local[pair->a]] != space.local[pair->b]) continue;
            if (group.count > 2) space.chosen ^= space.way[pair->a] ^ space.way[pair->b];
            space.chosen ^= pair->flips;
        }
        return true;
    });
    return found;
}

// How the decided class and the other compare, by all components. A group has the same weight in both classes but for
// what it costs to have one more way to the far boundary, or one less; so has a way across all by itself.
Matching::Found Matching::compare(Space& space, float* gap) const {
    const size_t count = space.defects.size();
    const std::vector<int64_t>& weight = space.weight;
    space.across = NEVER;
    const auto search = [&](const std::vector<Link>& from, std::vector<int64_t>& ways, bool all) {
        size_t left = count;
        ways.assign(count, NEVER);
        space.begin_search();
        for (const Link& link : from) space.step(link.row, weight[link.component], {});
        spread(space, weight, [&](int32_t row, int64_t distance) {
            const int a = space.place[row];
            if (a >= 0) ways[a] = distance, left--;
            return left > 0 || all;
        });
    };
    search(far_, space.far, false);
    search(near_, space.near, true);
    for (const Link& link : far_)
        space.across = std::min(space.across, space.distance[link.row] + weight[link.component]);
    for (size_t a = 0; a < count; a++) {
        const int64_t near = space.near[a], far = space.far[a];
        space.near[a] = std::min({near, far + space.across, NEVER});
        space.far[a] = std::min({far, near + space.across, NEVER});
    }
    pair_up(space, weight);

    Found found = Found::SOLUTION;
    int64_t least = space.across;
    bool odd = space.chosen[LEADS_FAR];
    space.each_group([&](const Group& group) {
        const int64_t even_weight = space.lightest(group, 0), odd_weight = space.lightest(group, 1);
        if (even_weight < 0 || odd_weight < 0) found = Found::TOO_LARGE;
        if (std::max(even_weight, odd_weight) < NEVER) least = std::min(least, std::abs(even_weight - odd_weight));
        odd ^= odd_weight < even_weight;
        return found == Found::SOLUTION;
    });
    const float size = least >= NEVER ? std::numeric_limits<float>::infinity() : static_cast<float>(least / FINEST);
    *gap = odd ? -size : size;
    return found;
}

}  // namespace cascade
