#include "perfect_matching.h"

#include <algorithm>
#include <limits>

namespace cascade {

const std::vector<int>& PerfectMatching::operator()(int n, const int64_t* cost) {
    begin(n, cost);
    while (augmented()) {
    }
    return mate_;
}

// The largest duals that edges allow each vertex on its own, and pairs of what is tight already.
void PerfectMatching::begin(int n, const int64_t* cost) {
    n_ = nodes_ = n, room_ = n + n / 2, marks_ = 0, cost_ = cost;
    dual_.assign(room_, 0);
    mate_.assign(room_, NONE);
    top_.assign(room_, NONE);
    label_.assign(room_, FREE);
    from_.assign(room_, NONE);
    nearest_.assign(room_, NONE);
    mark_.assign(room_, 0);
    edges_.assign(static_cast<size_t>(room_) * room_, {0, 0});
    parts_.assign(static_cast<size_t>(room_) * n, NONE);
    if (ring_.size() < static_cast<size_t>(room_)) ring_.resize(room_);
    for (int u = 0; u < n; u++) {
        int64_t least = std::numeric_limits<int64_t>::max();
        for (int v = 0; v < n; v++) {
            edge(u, v) = {u, v};
            if (u != v) least = std::min(least, cost[static_cast<size_t>(u) * n + v]);
        }
        dual_[u] = 2 * least;
        top_[u] = part(u, u) = u;
    }
    for (int u = 0; u < n; u++)
        for (int v = u + 1; v < n && mate_[u] == NONE; v++)
            if (mate_[v] == NONE && slack({u, v}) == 0) mate_[u] = v, mate_[v] = u;
}

// One more pair; false if there is no single vertex.
bool PerfectMatching::augmented() {
    std::fill_n(label_.begin(), nodes_, FREE);
    std::fill_n(nearest_.begin(), nodes_, NONE);
    queue_.clear();
    for (int x = 0; x < nodes_; x++)
        if (top_[x] == x && mate_[x] == NONE) {
            from_[x] = NONE;
            make_outer(x);
        }
    if (queue_.empty()) return false;
    while (!grown() && !shifted()) {
    }
    return true;
}

// Follows tight edges; whether one makes an augmenting path.
bool PerfectMatching::grown() {
    for (size_t i = 0; i < queue_.size(); i++) {
        const int u = queue_[i];
        if (label_[top_[u]] == INNER) continue;
        for (int v = 0; v < n_; v++) {
            if (top_[u] == top_[v]) continue;
            if (slack({u, v}) > 0)
                offer(u, top_[v]);
            else if (reach({u, v}))
                return true;
        }
    }
    queue_.clear();
    return false;
}

// Changes duals until an edge is tight, or the dual of an inner blossom is zero; whether that makes an augmenting path.
bool PerfectMatching::shifted() {
    int64_t step = std::numeric_limits<int64_t>::max();
    for (int x = 0; x < nodes_; x++) {
        if (top_[x] != x) continue;
        if (x >= n_ && label_[x] == INNER) step = std::min(step, dual_[x] / 2);
        if (nearest_[x] == NONE || label_[x] == INNER) continue;
        const int64_t left = slack(edge(nearest_[x], x));
        step = std::min(step, label_[x] == OUTER ? left / 2 : left);
    }
    for (int x = 0; x < nodes_; x++) {
        if (x >= n_ && top_[x] != x) continue;
        const Label label = label_[top_[x]];
        const int64_t change = (label == OUTER ? step : label == INNER ? -step : 0);
        dual_[x] += x < n_ ? change : 2 * change;
    }
    for (int x = 0; x < nodes_; x++)
        if (top_[x] == x && nearest_[x] != NONE && top_[nearest_[x]] != x && slack(edge(nearest_[x], x)) == 0 &&
            reach(edge(nearest_[x], x)))
            return true;
    for (int x = n_; x < nodes_; x++)
        if (top_[x] == x && label_[x] == INNER && dual_[x] == 0) expand(x);
    return false;
}

// Takes a tight edge from an outer vertex into its tree; whether it makes an augmenting path.
bool PerfectMatching::reach(Edge edge) {
    const int x = top_[edge.first], y = top_[edge.second];
    if (label_[y] == FREE) {
        const int next = top_of_mate(y);
        label_[y] = INNER;
        from_[y] = edge.first;
        nearest_[y] = nearest_[next] = NONE;
        make_outer(next);
    } else if (label_[y] == OUTER) {
        const int ancestor = common_ancestor(x, y);
        if (ancestor == NONE) {
            augment(x, y);
            augment(y, x);
            return true;
        }
        shrink(x, ancestor, y);
    }
    return false;
}

// Matches x to y, and the nodes from there to the root of the tree of x the other way round.
void PerfectMatching::augment(int x, int y) {
    while (true) {
        const int next = top_of_mate(x);
        join(x, y);
        if (next == NONE) return;
        const int parent = top_[from_[next]];
        join(next, parent);
        x = parent, y = next;
    }
}

// Matches x to y, and so what is in the ring of x; the same is to be done for y.
void PerfectMatching::join(int x, int y) {
    const Edge through = edge(x, y);
    mate_[x] = through.second;
    if (x < n_) return;
    const int base = part(x, through.first);
    const size_t way = even_way(x, base);
    std::vector<int>& ring = ring_[x];
    for (size_t i = 0; i < way; i++) join(ring[i], ring[i ^ 1]);
    join(base, y);
    std::rotate(ring.begin(), ring.begin() + static_cast<ptrdiff_t>(way), ring.end());
}

// Where a part stands in the ring of a blossom, which is turned round if that is odd.
size_t PerfectMatching::even_way(int blossom, int part) {
    std::vector<int>& ring = ring_[blossom];
    const size_t at = std::find(ring.begin(), ring.end(), part) - ring.begin();
    if (at % 2 == 0) return at;
    std::reverse(ring.begin() + 1, ring.end());
    return ring.size() - at;
}

// Of two outer nodes, NONE if they are in two trees.
int PerfectMatching::common_ancestor(int x, int y) {
    marks_++;
    for (; x != NONE || y != NONE; std::swap(x, y)) {
        if (x == NONE) continue;
        if (mark_[x] == marks_) return x;
        mark_[x] = marks_;
        const int inner = top_of_mate(x);
        x = inner == NONE ? NONE : top_[from_[inner]];
    }
    return NONE;
}

// Makes a blossom of the ways from two outer nodes to their ancestor.
void PerfectMatching::shrink(int x, int ancestor, int y) {
    int blossom = n_;
    while (blossom < nodes_ && top_[blossom] != NONE) blossom++;
    nodes_ = std::max(nodes_, blossom + 1);
    dual_[blossom] = 0;
    label_[blossom] = OUTER;
    mate_[blossom] = mate_[ancestor];
    nearest_[blossom] = NONE;
    mark_[blossom] = 0;
    std::vector<int>& ring = ring_[blossom];
    ring.assign(1, ancestor);
    const auto collect = [&](int node) {
        while (node != ancestor) {
            const int inner = top_of_mate(node);
            ring.push_back(node);
            ring.push_back(inner);
            make_outer(inner);
            node = top_[from_[inner]];
        }
    };
    collect(x);
    std::reverse(ring.begin() + 1, ring.end());
    collect(y);
    put_into(blossom, blossom);

    std::fill_n(&part(blossom, 0), n_, NONE);
    for (size_t i = 0; i < ring.size(); i++) {
        const int node = ring[i];
        for (int z = 0; z < nodes_; z++)
            if (i == 0 || slack(edge(node, z)) < slack(edge(blossom, z))) {
                edge(blossom, z) = edge(node, z);
                edge(z, blossom) = edge(z, node);
            }
        for (int v = 0; v < n_; v++)
            if (part(node, v) != NONE) part(blossom, v) = node;
    }
    look_around(blossom);
}

// Puts the parts of an inner blossom back into its tree, as far as they are on the way.
void PerfectMatching::expand(int blossom) {
    std::vector<int>& ring = ring_[blossom];
    for (int node : ring) put_into(node, node);
    const int entry = part(blossom, edge(blossom, from_[blossom]).first);
    const size_t way = even_way(blossom, entry);
    for (size_t i = 0; i < way; i += 2) {
        const int inner = ring[i], outer = ring[i + 1];
        label_[inner] = INNER;
        from_[inner] = edge(outer, inner).first;
        nearest_[inner] = nearest_[outer] = NONE;
        look_around(outer);
        make_outer(outer);
    }
    label_[entry] = INNER;
    from_[entry] = from_[blossom];
    for (size_t i = way + 1; i < ring.size(); i++) {
        label_[ring[i]] = FREE;
        look_around(ring[i]);
    }
    top_[blossom] = NONE;
}

void PerfectMatching::put_into(int blossom, int node) {
    top_[node] = blossom;
    if (node < n_) return;
    for (int each : ring_[node]) put_into(blossom, each);
}

void PerfectMatching::make_outer(int node) {
    if (top_[node] == node) label_[node] = OUTER;
    if (node < n_)
        queue_.push_back(node);
    else
        for (int each : ring_[node]) make_outer(each);
}

// An outer vertex, from which a node may have less slack than from those before.
void PerfectMatching::offer(int vertex, int node) {
    if (nearest_[node] == NONE || slack(edge(vertex, node)) < slack(edge(nearest_[node], node)))
        nearest_[node] = vertex;
}

void PerfectMatching::look_around(int node) {
    nearest_[node] = NONE;
    for (int v = 0; v < n_; v++)
        if (top_[v] != node && label_[top_[v]] == OUTER) offer(v, node);
}

}  // namespace cascade
