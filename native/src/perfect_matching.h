// Minimum-weight perfect matching of a small complete graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace cascade {

// Edmonds' blossom algorithm on dense graphs, in O(n^3). Trees grow from all single vertices at once: at even depth
// they have outer nodes, at odd depth inner ones, and a node is a vertex or a blossom, an odd ring of nodes. Duals
// change until an edge between two trees is tight, which makes an augmenting path. With costs times four all steps are
// whole. Memory is kept from call to call.
class PerfectMatching {
  public:
    static constexpr int64_t MOST = int64_t{1} << 50;  // that a pair may cost

    // The mate of each of n vertices, n even, so that all pairs together cost least.
    // cost [n, n], symmetric, from 0 to MOST; the diagonal does not matter.
    const std::vector<int>& operator()(int n, const int64_t* cost);

  private:
    enum Label : uint8_t { FREE, OUTER, INNER };
    using Edge = std::pair<int, int>;  // of two vertices
    static constexpr int NONE = -1;

    void begin(int n, const int64_t* cost);
    bool augmented();
    bool grown();
    bool shifted();
    bool reach(Edge edge);
    void augment(int x, int y);
    void join(int x, int y);
    int common_ancestor(int x, int y);
    void shrink(int x, int ancestor, int y);
    void expand(int blossom);
    void put_into(int blossom, int node);
    void make_outer(int node);
    void offer(int vertex, int node);
    void look_around(int node);
    size_t even_way(int blossom, int part);

    Edge& edge(int x, int y) { return edges_[static_cast<size_t>(x) * room_ + y]; }
    int& part(int blossom, int vertex) { return parts_[static_cast<size_t>(blossom) * n_ + vertex]; }
    int64_t slack(Edge e) const {
        return 4 * cost_[static_cast<size_t>(e.first) * n_ + e.second] - dual_[e.first] - dual_[e.second];
    }
    int top_of_mate(int node) const { return mate_[node] == NONE ? NONE : top_[mate_[node]]; }

    int n_ = 0, nodes_ = 0, room_ = 0, marks_ = 0;
    const int64_t* cost_ = nullptr;
    std::vector<int64_t> dual_;  // [room]
    std::vector<int> mate_;      // [room]: the vertex that a node is matched to
    std::vector<int> top_;       // [room]: the outermost node that has this one; NONE of a blossom no more in use
    std::vector<Label> label_;   // [room]: of outermost nodes
    std::vector<int> from_;      // [room]: the outer vertex from which an inner node was reached
    std::vector<int> nearest_;   // [room]: the outer vertex from which a node has least slack, or NONE
    std::vector<int> mark_;      // [room]
    std::vector<Edge> edges_;    // [room, room]: the edge of least slack from one node to another
    std::vector<int> parts_;     // [room, n]: the node of its ring in which a blossom has a vertex, or NONE
    std::vector<std::vector<int>> ring_;  // [room]: the nodes of a blossom; the first one is matched to outside
    std::vector<int> queue_;              // outer vertices whose edges are to be looked at
};

}  // namespace cascade
