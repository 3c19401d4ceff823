// A relation table in the forms that kernels read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

#include "kernels.h"

namespace cascade {

using Ints = std::vector<int32_t>;

class Links {
  public:
    // read int32 [sites_out, relations], -1 where there is no neighbour; plane int32 [sites_out].
    Links(const int32_t* read, const int32_t* plane, int sites_out, int relations, int sites_in)
        : relations(relations), sites_in(sites_in), sites_out(sites_out), read_(read, read + static_cast<size_t>(sites_out) * relations), plane_(plane, plane + sites_out) {
        for (int32_t p : plane_) {
            if (p < 0 || p >= MOST_PLANES) throw std::invalid_argument("expected planes from 0 on");
            planes = std::max(planes, p + 1);
        }
        for (int32_t r : read_)
            if (r < -1 || r >= sites_in) throw std::invalid_argument("expected relations that lead to sites");
    }

    // Groups of one site each, which leave out all neighbours that are not there.
    const std::vector<Group>& alone() const { return alone_.groups; }

    // Groups of up to as many sites as a tile has rows, of which the absent neighbours are read as zeros.
    const std::vector<Group>& together() const { return together_.groups; }

    void group(int rows) {
        std::vector<Ints> ones, tiles;
        for (int s = 0; s < sites_out; s++) ones.push_back({s});
        alone_.make(*this, ones);
        std::vector<bool> taken(sites_out, false);
        for (int s = 0; s < sites_out; s++) {
            if (taken[s]) continue;
            // the site with most neighbours, and then always the one that adds least to what the tile reads
            int first = s;
            for (int other = s; other < sites_out; other++)
                if (!taken[other] && count(other) > count(first)) first = other;
            Ints tile{first};
            taken[first] = true;
            std::vector<char> reads(relations);
            mark(first, reads);
            while (static_cast<int>(tile.size()) < rows) {
                int best = -1, least = relations + 1, most = -1;
                for (int other = 0; other < sites_out; other++) {
                    if (taken[other] || plane_[other] != plane_[first]) continue;
                    int added = 0;
                    for (int r = 0; r < relations; r++) added += has(other, r) && !reads[r];
                    if (added < least || (added == least && count(other) > most)) best = other, least = added, most = count(other);
                    if (least == 0 && most == count(first)) break;
                }
                if (best < 0) break;
                taken[best] = true;
                mark(best, reads);
                tile.push_back(best);
            }
            std::sort(tile.begin(), tile.end());
            tiles.push_back(tile);
            s--;
            while (s + 1 < sites_out && taken[s + 1]) s++;
        }
        together_.make(*this, tiles);
    }

    int planes = 1, relations, sites_in, sites_out;

  private:
    static constexpr int MOST_PLANES = 1 << 10;

    struct Grouped {
        std::vector<Group> groups;
        Ints sites, read, block;

        void make(const Links& of, const std::vector<Ints>& tiles) {
            std::vector<size_t> at;
            for (const Ints& tile : tiles) {
                at.insert(at.end(), {sites.size(), read.size(), block.size()});
                sites.insert(sites.end(), tile.begin(), tile.end());
                for (int r = 0; r < of.relations; r++) {
                    bool any = false;
                    for (int s : tile) any |= of.has(s, r);
                    if (!any) continue;
                    for (int s : tile) read.push_back(of.has(s, r) ? of.read_[of.at(s, r)] : of.sites_in);
                    block.push_back(of.plane_[tile[0]] * of.relations + r);
                }
            }
            at.insert(at.end(), {sites.size(), read.size(), block.size()});
            for (size_t i = 0; i + 3 < at.size(); i += 3)
                groups.push_back({&sites[at[i]], read.data() + at[i + 1], block.data() + at[i + 2], static_cast<int>(at[i + 3] - at[i]), static_cast<int>(at[i + 5] - at[i + 2])});
        }
    };

    size_t at(int site, int r) const { return static_cast<size_t>(site) * relations + r; }
    bool has(int site, int r) const { return read_[at(site, r)] >= 0; }
    int count(int site) const {
        int n = 0;
        for (int r = 0; r < relations; r++) n += has(site, r);
        return n;
    }
    void mark(int site, std::vector<char>& reads) const {
        for (int r = 0; r < relations; r++) reads[r] |= has(site, r);
    }

    Ints read_, plane_;
    Grouped alone_, together_;
};

}  // namespace cascade
