// What is wrong in a shot: faults that a reader put in, and mechanisms of the noise that happened.
//
// x12.3 is X on data qubit 12 before the CNOTs of round 3 (counted from 0; the readout comes after the last one), z12.3
// Z there, r7.2 a wrong measurement of check 7 in round 2. m41 is mechanism 41 of the circuit's error model.

import type { Flips, Model } from "./model.ts";

export interface Mark {
  round: number;
  /** Index of a data qubit, or n + index of a check's ancilla. */
  qubit: number;
  /** X, Y, Z, or M for a wrong measurement. */
  letter: string;
}

const LETTERS = ["", "X", "Y", "Z", "M"];

export class Faults {
  private readonly model: Model;
  private readonly sampled: Flips;
  private readonly put: Flips;

  constructor(model: Model) {
    this.model = model;
    this.sampled = model.flips("fault");
    this.put = model.flips("put");
  }

  /** Whether there is such a fault in this experiment. */
  knows(fault: string): boolean {
    const { n } = this.model.facts.code;
    const { rounds } = this.model.facts;
    const [index, round] = numbers(fault);
    if (fault[0] === "m") return index < this.sampled.observables.length;
    return fault[0] === "r" ? index < this.model.checks && round < rounds : index < n && round <= rounds;
  }

  /** Detection events, 0 or 1 each, and the observables that are flipped, as a mask. */
  shot(faults: string[]): { events: Uint8Array; observables: number } {
    const events = new Uint8Array(this.model.detectors);
    let observables = 0;
    for (const fault of faults) {
      const { flips, at } = this.found(fault);
      for (let i = flips.start[at]; i < flips.start[at + 1]; i++) events[flips.detector[i]] ^= 1;
      observables ^= flips.observables[at];
    }
    return { events, observables };
  }

  marks(fault: string): Mark[] {
    const [index, round] = numbers(fault);
    if (fault[0] === "r") return [{ round, qubit: this.model.facts.code.n + index, letter: "M" }];
    if (fault[0] !== "m") return [{ round, qubit: index, letter: fault[0].toUpperCase() }];
    const file = this.model.tensors;
    const pauli = file.data<Uint8Array>("fault.pauli");
    const qubit = file.data<Int16Array>("fault.qubit");
    const at = file.data<Uint8Array>("fault.round")[index];
    return [0, 1]
      .map((i) => 2 * index + i)
      .filter((i) => qubit[i] >= 0)
      .map((i) => ({ round: at, qubit: qubit[i], letter: LETTERS[pauli[i]] }));
  }

  label(fault: string): string {
    const marks = this.marks(fault);
    const { rounds, layers } = this.model.facts;
    const what = marks.map(({ letter, qubit }) =>
      letter === "M" ? `wrong measurement of ${this.name(qubit)}` : `${letter} on ${this.name(qubit)}`,
    );
    const round = marks[0].round === rounds ? "readout" : `round ${marks[0].round + 1}`;
    const step = fault[0] === "m" ? this.model.tensors.data<Uint8Array>("fault.step")[numbers(fault)[0]] : 0;
    return `${what.join(" and ")}, ${round}${step && what[0][0] !== "w" ? `, CNOTs ${step} of ${layers}` : ""}`;
  }

  name(qubit: number): string {
    const { n } = this.model.facts.code;
    return qubit < n ? `data qubit ${qubit + 1}` : this.checkName(qubit - n);
  }

  checkName(check: number): string {
    return check < this.model.xChecks ? `X check ${check + 1}` : `Z check ${check - this.model.xChecks + 1}`;
  }

  private found(fault: string): { flips: Flips; at: number } {
    const [index, round] = numbers(fault);
    const { rounds } = this.model.facts;
    const { n } = this.model.facts.code;
    if (fault[0] === "m") return { flips: this.sampled, at: index };
    const ofPauli = (rounds + 1) * n;
    if (fault[0] === "r") return { flips: this.put, at: 2 * ofPauli + round * this.model.checks + index };
    return { flips: this.put, at: (fault[0] === "z" ? ofPauli : 0) + round * n + index };
  }
}

function numbers(fault: string): number[] {
  return fault.slice(1).split(".").map(Number);
}

/** With a fault if it is not there, without it if it is. */
export function toggled(faults: string[], fault: string): string[] {
  return faults.includes(fault) ? faults.filter((one) => one !== fault) : [...faults, fault];
}
