// A model's file, as src/cascade_qec/page/model_file.py writes it.

import { Tensors } from "./safetensors.ts";

export interface Facts {
  name: string;
  code: { name: string; n: number; k: number; d: number; matchable: boolean };
  rounds: number;
  slices: number;
  basis: "X" | "Z";
  width: number;
  depth: number;
  parameters: number;
  trained_at: number;
  period: [number, number] | null;
  layers: number;
  output_bias: number;
  share: number;
  scale: number;
  /** Of the reader's own shots, where the file has some. */
  shots?: { circuit: string; file: string; total: number };
  calibration: { raw: number[]; log_odds: number[]; before: number; beyond: number; noise: number[] };
}

/** What faults flip: fault f flips `detector[start[f]..start[f + 1])` and the observables that are bits of a mask. */
export interface Flips {
  start: Int32Array;
  detector: Int16Array;
  observables: Uint16Array;
}

export class Model {
  readonly facts: Facts;
  readonly tensors: Tensors;
  readonly detectors: number;
  readonly checks: number;
  readonly xChecks: number;
  /** Check and slice of each detector. */
  readonly detectorCheck: Int16Array;
  readonly detectorSlice: Int16Array;
  /** Detector of each [slice, check], -1 for none. */
  readonly detectorAt: Int16Array;

  constructor(file: ArrayBuffer) {
    this.tensors = new Tensors(file);
    this.facts = this.tensors.page as Facts;
    const site = this.tensors.tensor<Int16Array>("draw.site");
    const bit = this.tensors.data<Int16Array>("site.detector");
    this.checks = site.shape[1];
    this.xChecks = this.tensors.data<Int16Array>("draw.x_checks")[0];
    this.detectorAt = site.data.map((each) => bit[each]);
    this.detectors = 1 + this.detectorAt.reduce((most, each) => Math.max(most, each), -1);
    this.detectorCheck = new Int16Array(this.detectors);
    this.detectorSlice = new Int16Array(this.detectors);
    this.detectorAt.forEach((detector, at) => {
      if (detector < 0) return;
      this.detectorCheck[detector] = at % this.checks;
      this.detectorSlice[detector] = Math.floor(at / this.checks);
    });
  }

  flips(name: "fault" | "put"): Flips {
    const data = <T extends Int32Array | Int16Array | Uint16Array>(what: string) =>
      this.tensors.data<T>(`${name}.${what}`);
    return {
      start: data<Int32Array>("start"),
      detector: data<Int16Array>("detector"),
      observables: data<Uint16Array>("observables"),
    };
  }

  /** How many shots of the reader's own the file has. */
  get ownShots(): number {
    return this.tensors.has("shots.start") ? this.tensors.data("shots.start").length - 1 : 0;
  }

  /** One of them: its events, and the observables that were flipped if that is known. */
  ownShot(number: number): { events: Uint8Array; observables: number | null } {
    const start = this.tensors.data<Int32Array>("shots.start");
    const detectors = this.tensors.data<Int16Array>("shots.detector").subarray(start[number], start[number + 1]);
    const events = new Uint8Array(this.detectors);
    for (const detector of detectors) events[detector] = 1;
    const known = this.tensors.has("shots.observables");
    return { events, observables: known ? this.tensors.data<Uint16Array>("shots.observables")[number] : null };
  }

  /** Whether a check is of the experiment's own basis: only those see the errors that flip its observables. */
  primary(check: number): boolean {
    return check < this.xChecks === (this.facts.basis === "X");
  }
}
