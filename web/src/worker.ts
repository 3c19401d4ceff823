// Decodes beside the page, so that it stays smooth.

import { Decision, type Decided } from "./decision.ts";
import { Matching, type Matched } from "./matching.ts";
import { Model } from "./model.ts";
import { Network } from "./network.ts";
import { Noise } from "./noise.ts";
import { Random } from "./random.ts";

export interface Decoded extends Decided {
  /** What each operator says, log-odds that its parity is odd. */
  evidence: Float32Array;
  milliseconds: number;
  matched: Matched | null;
}

export interface Tally {
  shots: number;
  network: number; // failures
  matching: number;
  /** Mechanisms of the shot that was looked for, once there is one. */
  found?: number[];
}

export interface Asked {
  open: { ask: { file: ArrayBuffer }; answer: null };
  decode: { ask: { events: Uint8Array; p: number }; answer: Decoded };
  look: { ask: { events: Uint8Array }; answer: Float32Array[] };
  /** Shots for some milliseconds; until one fails as wanted, if one is wanted. */
  count: { ask: { p: number; seed: number; milliseconds: number; until?: Wanted }; answer: Tally };
}

export type Wanted = "matching alone fails" | "network fails";

let model: Model, network: Network, decision: Decision;
let matching: { p: number; decoder: Matching } | null = null;
let noise: { p: number; seed: number; source: Noise; random: Random } | null = null;

const answers: { [K in keyof Asked]: (ask: Asked[K]["ask"]) => Asked[K]["answer"] } = {
  open({ file }) {
    model = new Model(file);
    network = new Network(model);
    decision = new Decision(model.facts, model.tensors.data("head.logicals"));
    matching = noise = null;
    // the first calls are slow, as the browser compiles while they run
    const silence = new Uint8Array(model.detectors);
    const end = performance.now() + 150;
    for (let i = 0; i < 20 && performance.now() < end; i++) decision.decide(network.evidence(silence));
    return null;
  },
  decode({ events, p }) {
    const start = performance.now();
    const evidence = network.evidence(events);
    const decided = decision.decide(evidence);
    return {
      ...decided,
      evidence,
      milliseconds: performance.now() - start,
      matched: matchingAt(p)?.decode(events) ?? null,
    };
  },
  look({ events }) {
    const layers: Float32Array[] = [];
    network.evidence(events, layers);
    return layers;
  },
  count({ p, seed, milliseconds, until }) {
    if (noise?.p !== p || noise.seed !== seed)
      noise = { p, seed, source: new Noise(model, p), random: new Random(seed) };
    const { start, detector, observables } = model.flips("fault");
    const rival = matchingAt(p);
    const end = performance.now() + milliseconds;
    const tally: Tally = { shots: 0, network: 0, matching: 0 };
    const events = new Uint8Array(model.detectors);
    while (performance.now() < end) {
      const happened = noise.source.shot(noise.random);
      events.fill(0);
      let truth = 0;
      for (const fault of happened) {
        for (let i = start[fault]; i < start[fault + 1]; i++) events[detector[i]] ^= 1;
        truth ^= observables[fault];
      }
      const wrong = decision.decide(network.evidence(events)).observables !== truth;
      const rivalWrong = rival !== null && rival.decode(events).observables !== truth;
      tally.shots++;
      tally.network += Number(wrong);
      tally.matching += Number(rivalWrong);
      if (until === "matching alone fails" ? rivalWrong && !wrong : until === "network fails" && wrong) {
        return { ...tally, found: happened };
      }
    }
    return tally;
  },
};

function matchingAt(p: number): Matching | null {
  if (!model.facts.code.matchable) return null;
  if (matching?.p !== p) matching = { p, decoder: new Matching(model, p) };
  return matching.decoder;
}

addEventListener("message", ({ data: { number, name, ask } }: MessageEvent) => {
  try {
    postMessage({ number, answer: answers[name as keyof Asked](ask as never) });
  } catch (error) {
    postMessage({ number, error: String(error) });
  }
});
