// Minimum-weight perfect matching, as PyMatching has it: the rival that knows each basis' errors alone.

import { heaviestMatching } from "./blossom.ts";
import type { Model } from "./model.ts";
import { probabilities } from "./noise.ts";

const STEPS = 2 ** 20; // of weight to one, in integers

export interface Matched {
  observables: number;
  /** -ln of how likely the errors are, up to a constant. */
  weight: number;
  /** Detectors that are matched to one another, or to the boundary (-1), and the observables crossed between. */
  pairs: [number, number, number][];
}

export class Matching {
  private readonly nodes: number; // the experiment's own detectors; the boundary is one more
  private readonly node: Int32Array; // of each detector, -1 for one of the other basis
  private readonly distance: Float64Array; // [nodes + 1, nodes + 1]
  private readonly parity: Uint16Array; // observables flipped along the shortest path

  constructor(model: Model, p: number) {
    this.node = new Int32Array(model.detectors).fill(-1);
    let nodes = 0;
    this.node.forEach((_, d) => {
      if (model.primary(model.detectorCheck[d])) this.node[d] = nodes++;
    });
    this.nodes = nodes;
    const size = nodes + 1;
    this.distance = new Float64Array(size * size).fill(Infinity);
    this.parity = new Uint16Array(size * size);
    const neighbours = edges(model, this.node, nodes, p);
    for (let from = 0; from < size; from++) this.shortest(from, neighbours);
  }

  decode(events: Uint8Array): Matched {
    const size = this.nodes + 1;
    const lit: number[] = [];
    const at: number[] = [];
    events.forEach((event, d) => {
      if (event && this.node[d] >= 0) {
        lit.push(d);
        at.push(this.node[d] * size);
      }
    });
    const toBoundary = at.map((row) => this.distance[row + this.nodes]);
    // What a pair saves against the way of both to the boundary: the heaviest matching is the best one.
    const saved = (i: number, j: number) => toBoundary[i] + toBoundary[j] - this.distance[at[i] + at[j] / size];
    const partner = heaviestMatching(lit.length, (i, j) => Math.round(STEPS * saved(i, j)));
    const found: Matched = { observables: 0, weight: 0, pairs: [] };
    partner.forEach((j, i) => {
      if (j >= 0 && j < i) return;
      const way = at[i] + (j < 0 ? this.nodes : at[j] / size);
      found.observables ^= this.parity[way];
      found.weight += this.distance[way];
      found.pairs.push([lit[i], j < 0 ? -1 : lit[j], this.parity[way]]);
    });
    return found;
  }

  /** Dijkstra's algorithm from one node; no way leads on from the boundary. */
  private shortest(from: number, neighbours: Edge[][]): void {
    const size = this.nodes + 1;
    const distance = this.distance.subarray(from * size, (from + 1) * size);
    const parity = this.parity.subarray(from * size, (from + 1) * size);
    const done = new Uint8Array(size);
    distance[from] = 0;
    for (;;) {
      let nearest = -1;
      for (let node = 0; node < size; node++) {
        if (!done[node] && distance[node] < (nearest < 0 ? Infinity : distance[nearest])) nearest = node;
      }
      if (nearest < 0) return;
      done[nearest] = 1;
      if (nearest === this.nodes && from !== this.nodes) continue;
      for (const { to, weight, observables } of neighbours[nearest]) {
        if (distance[nearest] + weight >= distance[to]) continue;
        distance[to] = distance[nearest] + weight;
        parity[to] = parity[nearest] ^ observables;
      }
    }
  }
}

interface Edge {
  to: number;
  weight: number;
  observables: number;
}

/** What each mechanism does to the experiment's own detectors, those that do the same put together. */
function edges(model: Model, node: Int32Array, nodes: number, p: number): Edge[][] {
  const { start, detector, observables } = model.flips("fault");
  const likely = probabilities(model.tensors.data("fault.count"), p);
  const together = new Map<string, number>();
  likely.forEach((probability, m) => {
    const ends = [...detector.subarray(start[m], start[m + 1])].map((d) => node[d]).filter((end) => end >= 0);
    if (!ends.length) return;
    if (ends.length > 2) throw new Error("expected errors that flip at most two detectors of a basis");
    const key = [ends[0], ends[1] ?? nodes, observables[m]].join();
    const before = together.get(key) ?? 0;
    together.set(key, before + probability - 2 * before * probability);
  });
  const neighbours: Edge[][] = Array.from({ length: nodes + 1 }, () => []);
  for (const [key, probability] of together) {
    const [u, v, flipped] = key.split(",").map(Number);
    const weight = Math.log((1 - probability) / probability);
    neighbours[u].push({ to: v, weight, observables: flipped });
    neighbours[v].push({ to: u, weight, observables: flipped });
  }
  return neighbours;
}
