// One shot as the drawings want it.

import { Faults, type Mark } from "./faults.ts";
import type { Model } from "./model.ts";

export class Scene {
  readonly model: Model;
  readonly faults: Faults;
  /** Where each qubit and then each check is, [n + checks, 2], around the middle; neighbours are a unit apart. */
  readonly at: [number, number][];
  /** Half the width of the lattice. */
  readonly half: number;

  constructor(model: Model) {
    this.model = model;
    this.faults = new Faults(model);
    const points = [
      model.tensors.data<Float32Array>("draw.qubit"),
      model.tensors.data<Float32Array>("draw.check"),
    ].flatMap(pairs);
    const unit = model.facts.period ? 1 : 2;
    const [xs, ys] = [0, 1].map((axis) => points.map((point) => point[axis]));
    const middle = [xs, ys].map((values) => (Math.min(...values) + Math.max(...values)) / 2);
    this.at = points.map(([x, y]) => [(x - middle[0]) / unit, (y - middle[1]) / unit]);
    this.half = Math.max(...this.at.flat().map(Math.abs));
  }

  get n(): number {
    return this.model.facts.code.n;
  }

  /** The data qubits of a check. */
  support(check: number): number[] {
    const support = this.model.tensors.data<Uint8Array>("draw.support").subarray(check * this.n, (check + 1) * this.n);
    return [...support.keys()].filter((qubit) => support[qubit]);
  }

  /** The letter at each place, by `place(round, qubit)`: X and Z on one qubit are Y, and the same twice is nothing. */
  letters(faults: string[]): Map<number, string> {
    const bits = new Map<number, number>();
    for (const mark of faults.flatMap((fault) => this.faults.marks(fault))) {
      const at = this.place(mark.round, mark.qubit);
      bits.set(at, (bits.get(at) ?? 0) ^ BITS[mark.letter]);
    }
    return new Map([...bits].filter(([, bit]) => bit).map(([at, bit]) => [at, NAMES[bit]]));
  }

  /** What happens with some faults, in one of the reader's own shots or in none. */
  shot(faults: string[], own: number): Shot {
    const { events, observables } = this.faults.shot(faults);
    const letters = this.letters(faults);
    if (own < 0 || own >= this.model.ownShots) return { events, observables, letters };
    const known = this.model.ownShot(own);
    return {
      events: known.events.map((event, detector) => event ^ events[detector]),
      observables: known.observables === null ? null : known.observables ^ observables,
      letters,
    };
  }

  place(round: number, qubit: number): number {
    return round * this.at.length + qubit;
  }

  /** The fault that a reader puts at a place with a letter, or the two that make up Y. */
  putting(round: number, qubit: number, letter: "X" | "Y" | "Z"): string[] {
    if (qubit >= this.n) return round < this.model.facts.rounds ? [`r${qubit - this.n}.${round}`] : [];
    return (letter === "Y" ? ["x", "z"] : [letter.toLowerCase()]).map((pauli) => `${pauli}${qubit}.${round}`);
  }

  firstRound(faults: string[]): number {
    const marks: Mark[] = faults.flatMap((fault) => this.faults.marks(fault));
    return Math.min(...marks.map((mark) => mark.round), this.model.facts.rounds);
  }
}

const BITS: Record<string, number> = { X: 1, Z: 2, Y: 3, M: 4 };
const NAMES = ["", "X", "Z", "Y", "M", "XM", "ZM", "YM"];

function pairs(flat: Float32Array): [number, number][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
}

/** What all drawings of a shot are given. */
export interface Shot {
  events: Uint8Array;
  /** What is truly flipped; null where nobody knows. */
  observables: number | null;
  letters: Map<number, string>;
}
