// A relation table in the forms that kernels read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <vector>

#include "kernels.h"

namespace cascade {

using Ints = std::vector<int32_t>;

// Groups of sites that read the same relations, in the form of the kernels.
class Groups {
  public:
    // read, block int32 [sites, relations]: whom a site reads, -1 for nobody, and which matrix that is multiplied by.
    // `zeros` is the row of zeros, which sites of a tile read where others of it have a neighbour and they have none.
    // A tile has `rows` sites at most.
    Groups(const Ints& read, const Ints& block, int relations, int zeros, int rows)
        : relations_(relations), rows_(rows) {
        const int sites = static_cast<int>(read.size()) / relations;
        std::vector<Ints> ones(sites);
        for (int s = 0; s < sites; s++) ones[s] = {s};
        make(alone_, ones, read, block, zeros);
        make(together_, tiles(read, block, sites), read, block, zeros);
    }

    // One site each where a batch has as many shots as a tile has rows, several sites where it has fewer.
    const std::vector<Group>& of(int shots, int rows) const { return shots < rows ? together_.groups : alone_.groups; }

  private:
    struct Made {
        std::vector<Group> groups;
        Ints sites, read, block;
    };

    void make(Made& made, const std::vector<Ints>& tiles, const Ints& read, const Ints& block, int zeros) const {
        std::vector<size_t> at;
        for (const Ints& tile : tiles) {
            at.insert(at.end(), {made.sites.size(), made.read.size(), made.block.size()});
            made.sites.insert(made.sites.end(), tile.begin(), tile.end());
            for (int r = 0; r < relations_; r++) {
                int matrix = -1;
                for (int s : tile)
                    if (read[index(s, r)] >= 0) matrix = block[index(s, r)];
                if (matrix < 0) continue;
                for (int s : tile) made.read.push_back(read[index(s, r)] >= 0 ? read[index(s, r)] : zeros);
                made.block.push_back(matrix);
            }
        }
        at.insert(at.end(), {made.sites.size(), made.read.size(), made.block.size()});
        for (size_t i = 0; i + 3 < at.size(); i += 3)
            made.groups.push_back({made.sites.data() + at[i], made.read.data() + at[i + 1],
                                   made.block.data() + at[i + 2], static_cast<int>(at[i + 3] - at[i]),
                                   static_cast<int>(at[i + 5] - at[i + 2])});
    }

    // Sites of one pattern together, and what is left over of each with whatever adds least to what a tile reads.
    std::vector<Ints> tiles(const Ints& read, const Ints& block, int sites) const {
        std::map<Ints, Ints> patterns;
        for (int s = 0; s < sites; s++) patterns[pattern(read, block, s)].push_back(s);
        std::vector<Ints> tiles, left;
        for (auto& [key, members] : patterns) {
            size_t start = 0;
            for (; start + rows_ <= members.size(); start += rows_)
                tiles.emplace_back(members.begin() + start, members.begin() + start + rows_);
            if (start < members.size()) left.emplace_back(members.begin() + start, members.end());
        }
        while (!left.empty()) {
            Ints tile = take(left, 0);
            Ints reads = pattern(read, block, tile[0]);
            while (static_cast<int>(tile.size()) < rows_) {
                int best = -1, least = relations_ + 1;
                for (size_t i = 0; i < left.size(); i++) {
                    const Ints other = pattern(read, block, left[i][0]);
                    int added = 0;
                    for (int r = 0; r < relations_; r++) {
                        if (other[r] >= 0 && reads[r] >= 0 && other[r] != reads[r]) added = relations_ + 1;
                        added += (other[r] >= 0) != (reads[r] >= 0);
                    }
                    if (added < least) best = static_cast<int>(i), least = added;
                }
                if (best < 0 || 2 * least > relations_) break;
                const Ints other = pattern(read, block, left[best][0]);
                for (int r = 0; r < relations_; r++) reads[r] = std::max(reads[r], other[r]);
                Ints more = take(left, best);
                const size_t fit = std::min(more.size(), rows_ - tile.size());
                tile.insert(tile.end(), more.begin(), more.begin() + fit);
                if (fit < more.size()) left.emplace_back(more.begin() + fit, more.end());
            }
            tiles.push_back(tile);
        }
        return tiles;
    }

    static Ints take(std::vector<Ints>& from, size_t i) {
        Ints taken = std::move(from[i]);
        from.erase(from.begin() + static_cast<ptrdiff_t>(i));
        return taken;
    }

    // The matrix of each relation of a site, -1 for none.
    Ints pattern(const Ints& read, const Ints& block, int site) const {
        Ints found(relations_);
        for (int r = 0; r < relations_; r++) found[r] = read[index(site, r)] < 0 ? -1 : block[index(site, r)];
        return found;
    }

    size_t index(int site, int r) const { return static_cast<size_t>(site) * relations_ + r; }

    int relations_, rows_;
    Made alone_, together_;
};

// The table of one convolution.
class Links {
  public:
    // read int32 [sites_out, relations], -1 where there is no neighbour; plane int32 [sites_out].
    Links(Ints read, const Ints& plane, int relations, int sites_in)
        : relations(relations),
          sites_in(sites_in),
          sites_out(static_cast<int>(plane.size())),
          read_(std::move(read)),
          block_(read_.size()) {
        for (int32_t p : plane) {
            if (p < 0 || p >= MOST_PLANES) throw std::invalid_argument("expected planes from 0 on");
            planes = std::max(planes, p + 1);
        }
        for (int32_t r : read_)
            if (r < -1 || r >= sites_in) throw std::invalid_argument("expected relations that lead to sites");
        for (size_t i = 0; i < read_.size(); i++)
            block_[i] = plane[i / relations] * relations + static_cast<int>(i % relations);
    }

    Groups forward(int rows) const { return Groups(read_, block_, relations, sites_in, rows); }

    // Who reads a site: through one relation at most one does.
    Groups backward(int rows) const {
        Ints read(static_cast<size_t>(sites_in) * relations, -1), block(read.size(), -1);
        for (size_t i = 0; i < read_.size(); i++) {
            if (read_[i] < 0) continue;
            const size_t at = static_cast<size_t>(read_[i]) * relations + i % relations;
            if (read[at] >= 0)
                throw std::invalid_argument("expected relations through which a site is read once at most");
            read[at] = static_cast<int32_t>(i / relations), block[at] = block_[i];
        }
        return Groups(read, block, relations, sites_out, rows);
    }

    // Whom a site reads: those of site s are number start[s] to start[s + 1].
    struct Reads {
        Ints start, site;
        bool all = true;  // read somebody
    };

    Reads reads() const {
        Reads found{{0}, {}};
        for (size_t i = 0; i < read_.size(); i++) {
            if (read_[i] >= 0) found.site.push_back(read_[i]);
            if ((i + 1) % relations) continue;
            found.all = found.all && static_cast<int>(found.site.size()) > found.start.back();
            found.start.push_back(static_cast<int32_t>(found.site.size()));
        }
        return found;
    }

    // Who reads a site, and with which matrix.
    struct Readers {
        Ints start, site, block;
    };

    Readers readers() const {
        Readers found{Ints(sites_in + 1, 0), {}, {}};
        for (int32_t r : read_)
            if (r >= 0) found.start[r + 1]++;
        for (int s = 0; s < sites_in; s++) found.start[s + 1] += found.start[s];
        found.site.resize(found.start.back()), found.block.resize(found.start.back());
        Ints next = found.start;
        for (size_t i = 0; i < read_.size(); i++)
            if (read_[i] >= 0) {
                const int32_t at = next[read_[i]]++;
                found.site[at] = static_cast<int32_t>(i / relations), found.block[at] = block_[i];
            }
        return found;
    }

    // For each plane and relation whom is read, and by whom.
    std::vector<std::pair<Ints, Ints>> pairs() const {
        std::vector<std::pair<Ints, Ints>> found(static_cast<size_t>(planes) * relations);
        for (size_t i = 0; i < read_.size(); i++)
            if (read_[i] >= 0) {
                found[block_[i]].first.push_back(read_[i]);
                found[block_[i]].second.push_back(static_cast<int32_t>(i / relations));
            }
        return found;
    }

    int planes = 1, relations, sites_in, sites_out;

  private:
    static constexpr int MOST_PLANES = 1 << 10;

    Ints read_, block_;
};

}  // namespace cascade
