// What tests/page/test_in_node.py has written: models, and what Python says of shots.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Model } from "../src/model.ts";

const FOLDER = process.env.CASCADE_PAGE_VALUES!;

export interface Values {
  p: number;
  events: number[][]; // the detectors of each shot's events
  observables: number[];
  probabilities: number[][];
  log_odds: number[];
  matching: number[] | null;
  weight: number[] | null;
  mechanisms: number[]; // probabilities
  rates: number[]; // of detection events
  put: { fault: string; events: number[]; observables: number }[];
  explained: {
    sizes: number[][][]; // of each shot, layer and site
    channel: number[][][]; // the sixth one
    fields: [site: number, layer: number, sites: number[]][];
    scores: number[][]; // of each shot and class
    operators: number[][];
  };
  stream: null | {
    p: number;
    rounds: number;
    errors: [ends: number[], observables: number, probability: number, unequal: number][];
    events: number[][];
    whole: number[];
    windows: Record<string, number[][]>; // frames behind each window, by "commit+buffer"
  };
  intervals: [failures: number, shots: number, low: number, high: number][];
}

export const NAMES = ["surface_d3", "surface_d5", "surface_d7", "bb72"];

export function json<T>(name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8"));
}

export function values(name: string): Values {
  return json(name);
}

export function file(name: string): ArrayBuffer {
  const bytes = readFileSync(join(FOLDER, `${name}.safetensors`));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
}

export function model(name: string): Model {
  return new Model(file(name));
}

export function shot(detectors: number, events: number[]): Uint8Array {
  const bits = new Uint8Array(detectors);
  for (const event of events) bits[event] = 1;
  return bits;
}
