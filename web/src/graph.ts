// Matching in a graph of detectors and a boundary. Shortest paths from a node are worked out when they are first needed.

import { heaviestMatching } from "./blossom.ts";

const STEPS = 2 ** 20; // of weight to one, in integers

export interface Edge {
  /** Two nodes; the boundary is the number after the last node. */
  ends: [number, number];
  probability: number;
  observables: number;
}

export interface Pair {
  ends: [number, number];
  edges: number[]; // along the shortest path
  weight: number;
}

interface Paths {
  distance: Float64Array;
  via: Int32Array; // the last edge
}

export class Graph {
  readonly boundary: number;
  readonly edges: Edge[];
  private readonly weights: Float64Array;
  private readonly at: number[][]; // edges of each node
  private readonly paths: Paths[] = [];
  private farthest = Infinity; // from the boundary

  constructor(nodes: number, edges: Edge[]) {
    this.boundary = nodes;
    this.edges = edges;
    this.weights = Float64Array.from(edges, ({ probability }) => Math.log((1 - probability) / probability));
    this.at = Array.from({ length: nodes + 1 }, () => []);
    edges.forEach(({ ends }, edge) => ends.forEach((end) => this.at[end].push(edge)));
    this.farthest = this.shortest(nodes).distance.reduce((most, distance) => Math.max(most, distance));
  }

  /** Pairs of lit nodes, or of one and the boundary, by the likeliest errors. */
  match(lit: number[]): Pair[] {
    const { boundary } = this;
    const paths = lit.map((node) => (this.paths[node] ??= this.shortest(node)));
    const toBoundary = paths.map(({ distance }) => distance[boundary]);
    // What a pair saves against the way of both to the boundary: the heaviest matching is the best one.
    const saved = (i: number, j: number) => toBoundary[i] + toBoundary[j] - paths[i].distance[lit[j]];
    const partner = heaviestMatching(lit.length, (i, j) => Math.round(STEPS * saved(i, j)));
    const pairs: Pair[] = [];
    partner.forEach((j, i) => {
      if (j >= 0 && j < i) return;
      const end = j < 0 ? boundary : lit[j];
      const edges: number[] = [];
      for (let node = end; node !== lit[i]; node = this.other(edges[edges.length - 1], node))
        edges.push(paths[i].via[node]);
      pairs.push({ ends: [lit[i], end], edges, weight: paths[i].distance[end] });
    });
    return pairs;
  }

  private other(edge: number, node: number): number {
    const [u, v] = this.edges[edge].ends;
    return u === node ? v : u;
  }

  /** Dijkstra's algorithm from a node, as far as a way can be shorter than by the boundary, from which none leads on. */
  private shortest(from: number): Paths {
    const size = this.boundary + 1;
    const distance = new Float64Array(size).fill(Infinity);
    const via = new Int32Array(size).fill(-1);
    const done = new Uint8Array(size);
    distance[from] = 0;
    for (;;) {
      let nearest = -1;
      for (let node = 0; node < size; node++) {
        if (!done[node] && distance[node] < (nearest < 0 ? Infinity : distance[nearest])) nearest = node;
      }
      if (nearest < 0 || distance[nearest] > distance[this.boundary] + this.farthest) return { distance, via };
      done[nearest] = 1;
      if (nearest === this.boundary && from !== nearest) continue;
      for (const edge of this.at[nearest]) {
        const [to, along] = [this.other(edge, nearest), distance[nearest] + this.weights[edge]];
        if (along < distance[to]) [distance[to], via[to]] = [along, edge];
      }
    }
  }
}

/** Edges with the same ends are one; it happens if an odd number of them does, and flips what the first one flips. */
export function merged<E extends Edge>(edges: Iterable<E>): E[] {
  const together = new Map<string, E>();
  for (const edge of edges) {
    const key = [...edge.ends].sort((a, b) => a - b).join();
    const before = together.get(key);
    const both = before ? before.probability + edge.probability - 2 * before.probability * edge.probability : 0;
    together.set(key, before ? { ...before, probability: both } : { ...edge });
  }
  return [...together.values()];
}
