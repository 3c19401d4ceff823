// Minimum-weight perfect matching, as PyMatching has it: the rival that knows each basis' errors alone.

import { Graph, merged, type Edge } from "./graph.ts";
import type { Model } from "./model.ts";
import { probabilities } from "./noise.ts";

export interface Matched {
  observables: number;
  /** -ln of how likely the errors are, up to a constant. */
  weight: number;
  /** Detectors that are matched to one another, or to the boundary (-1), and the observables crossed between. */
  pairs: [number, number, number][];
}

export class Matching {
  private readonly graph: Graph;
  private readonly detectors: number[]; // of the nodes
  private readonly node: Int32Array; // of the detectors, -1 for one of the other basis

  constructor(model: Model, p: number) {
    this.detectors = ownDetectors(model);
    this.node = new Int32Array(model.detectors).fill(-1);
    this.detectors.forEach((detector, node) => (this.node[detector] = node));
    this.graph = new Graph(this.detectors.length, ownEdges(model, p));
  }

  decode(events: Uint8Array): Matched {
    const { graph, detectors, node } = this;
    const found: Matched = { observables: 0, weight: 0, pairs: [] };
    const lit = [...node.keys()].filter((detector) => events[detector] && node[detector] >= 0);
    for (const { ends, edges, weight } of graph.match(lit.map((detector) => node[detector]))) {
      const crossed = edges.reduce((mask, edge) => mask ^ graph.edges[edge].observables, 0);
      const [u, v] = ends.map((end) => (end === graph.boundary ? -1 : detectors[end]));
      found.observables ^= crossed;
      found.weight += weight;
      found.pairs.push([u, v, crossed]);
    }
    return found;
  }
}

/** The detectors of the experiment's own basis, slice after slice. */
function ownDetectors(model: Model): number[] {
  return [...model.detectorCheck.keys()].filter((detector) => model.primary(model.detectorCheck[detector]));
}

/** What each mechanism does to those detectors, which are the nodes in their order. */
export function ownEdges(model: Model, p: number): Edge[] {
  const detectors = ownDetectors(model);
  const node = new Map(detectors.map((detector, number) => [detector, number]));
  const { start, detector, observables } = model.flips("fault");
  const edges: Edge[] = [];
  probabilities(model.tensors.data("fault.count"), p).forEach((probability, m) => {
    const ends = [...detector.subarray(start[m], start[m + 1])].flatMap((d) => node.get(d) ?? []);
    if (!ends.length) return;
    if (ends.length > 2) throw new Error("expected errors that flip at most two detectors of a basis");
    edges.push({ ends: [ends[0], ends[1] ?? detectors.length], probability, observables: observables[m] });
  });
  return merged(edges);
}
