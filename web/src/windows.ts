// A stream of many rounds, matched window by window, as src/cascade_qec/decoders/streams has it.
//
// Only the checks of the experiment's own basis take part: a node is one of them in a slice, slice after slice.

import { Graph, merged, type Edge } from "./graph.ts";
import { ownEdges } from "./matching.ts";
import type { Model } from "./model.ts";
import { Noise } from "./noise.ts";
import { Random } from "./random.ts";

/** Of a stream, as in the project's own tables. */
export function rounds(model: Model): number {
  return 10 * model.facts.code.d;
}

/** What is matched together: slices from `first` to before `stop`; errors that begin before `commit` are decided. */
export interface Window {
  first: number;
  commit: number;
  stop: number;
}

/** What a window decides. */
export interface Decided {
  window: Window;
  /** Errors, edges of the history: those that are decided, and those that a later window decides anew. */
  decided: number[];
  tentative: number[];
  /** Nodes from `commit` on that decided errors flip. */
  seam: number[];
  /** What the decided errors flip, of this window and all before it. */
  frame: number;
}

export interface Shot {
  errors: number[]; // edges of the history
  events: Uint8Array; // [nodes]
  observables: number;
}

/** An experiment of many rounds: that of the model, with what happens in its middle once for each further round. */
export class History {
  readonly rounds: number;
  readonly slices: number; // rounds and the readout
  readonly checks: number; // in a slice
  readonly edges: Edge[];
  readonly begin: Int32Array; // the first slice that an edge has an end in
  private readonly noise: Noise;
  private readonly whole: Graph;

  constructor(rounds: number, checks: number, edges: Edge[]) {
    this.rounds = rounds;
    this.slices = rounds + 1;
    this.checks = checks;
    this.edges = edges;
    this.begin = Int32Array.from(edges, ({ ends }) => this.slice(Math.min(...ends)));
    this.noise = new Noise(Float64Array.from(edges, (edge) => edge.probability));
    this.whole = new Graph(this.slices * checks, edges);
  }

  static of(model: Model, p: number, rounds: number): History {
    const { facts, xChecks } = model;
    const checks = facts.basis === "X" ? xChecks : model.checks - xChecks;
    const [nodes, known] = [(rounds + 1) * checks, facts.slices * checks];
    const middle = facts.rounds >> 1;
    const extra = rounds - facts.rounds;
    const edges = ownEdges(model, p).flatMap((edge) => {
      const begin = Math.floor(Math.min(...edge.ends) / checks);
      const shifts = begin < middle ? [0] : begin > middle ? [extra] : [...Array(extra + 1).keys()];
      return shifts.map((slices) => ({
        ...edge,
        ends: edge.ends.map((end) => (end === known ? nodes : end + slices * checks)) as [number, number],
      }));
    });
    return new History(rounds, checks, edges);
  }

  slice(node: number): number {
    return Math.floor(node / this.checks);
  }

  sample(seed: number): Shot {
    const errors = this.noise.shot(new Random(seed));
    const events = new Uint8Array(this.slices * this.checks);
    for (const edge of errors) this.flip(events, edge);
    return { errors, events, observables: this.flipped(errors) };
  }

  /** The errors that explain all events at once, and the observables that they flip. */
  matched(events: Uint8Array): { errors: number[]; observables: number } {
    const errors = this.whole.match(lit(events)).flatMap((pair) => pair.edges);
    return { errors, observables: this.flipped(errors) };
  }

  /** Flip the events of both ends of an edge. */
  flip(events: Uint8Array, edge: number): void {
    for (const end of this.edges[edge].ends) if (end < events.length) events[end] ^= 1;
  }

  flipped(errors: number[]): number {
    return errors.reduce((mask, edge) => mask ^ this.edges[edge].observables, 0);
  }
}

/** Windows that decide `commit` rounds and look `buffer` rounds ahead. */
export class Windows {
  private readonly history: History;
  private readonly parts: { window: Window; graph: Graph; edges: number[] }[];

  constructor(history: History, commit: number, buffer: number) {
    this.history = history;
    this.parts = windows(history.slices, commit, buffer).map((window) => this.part(window));
  }

  decode(events: Uint8Array): Decided[] {
    const { checks, begin, edges: known } = this.history;
    const left = events.slice();
    let frame = 0;
    return this.parts.map(({ window, graph, edges }) => {
      const from = window.first * checks;
      const found = graph
        .match(lit(left.subarray(from, window.stop * checks)))
        .flatMap((pair) => pair.edges.map((edge) => edges[edge]));
      const decided = found.filter((edge) => begin[edge] < window.commit);
      for (const edge of decided) this.history.flip(left, edge);
      frame ^= this.history.flipped(decided);
      return {
        window,
        decided,
        tentative: found.filter((edge) => begin[edge] >= window.commit),
        seam: decided
          .flatMap((edge) => known[edge].ends)
          .filter((end) => end >= window.commit * checks && end < left.length),
        frame,
      };
    });
  }

  /** The graph of a window: errors that begin in it. What they flip beyond it is not seen, as if it were a boundary. */
  private part(window: Window): { window: Window; graph: Graph; edges: number[] } {
    const { checks, begin, edges } = this.history;
    const nodes = (window.stop - window.first) * checks;
    const local = merged(
      edges.flatMap((edge, number) =>
        begin[number] < window.first || begin[number] >= window.stop
          ? []
          : {
              ...edge,
              number,
              ends: edge.ends.map((end) => Math.min(nodes, end - window.first * checks)) as [number, number],
            },
      ),
    );
    return { window, graph: new Graph(nodes, local), edges: local.map((edge) => edge.number) };
  }
}

function windows(slices: number, commit: number, buffer: number): Window[] {
  const found: Window[] = [];
  for (let first = 0; first < slices; first += commit) {
    const stop = first + commit + buffer;
    if (stop >= slices) return [...found, { first, commit: slices, stop: slices }];
    found.push({ first, commit: first + commit, stop });
  }
  return found;
}

function lit(events: Uint8Array): number[] {
  return [...events.keys()].filter((node) => events[node]);
}
