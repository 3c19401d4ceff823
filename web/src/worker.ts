// Decodes beside the page, so that it stays smooth.

import type { Tally } from "./counter.ts";
import { Decision, type Decided } from "./decision.ts";
import { Matching, type Matched } from "./matching.ts";
import { Model } from "./model.ts";
import { Network } from "./network.ts";
import { Noise } from "./noise.ts";
import { Random } from "./random.ts";
import { History, Windows, rounds } from "./windows.ts";

export interface Decoded extends Decided {
  /** What each operator says, log-odds that its parity is odd. */
  evidence: Float32Array;
  milliseconds: number;
  matched: Matched | null;
}

interface Counting<Wanted> {
  p: number;
  seed: number;
  milliseconds: number;
  until?: Wanted;
}

export interface Asked {
  open: { ask: { file: ArrayBuffer }; answer: null };
  decode: { ask: { events: Uint8Array; p: number }; answer: Decoded };
  look: { ask: { events: Uint8Array }; answer: Float32Array[] };
  /** Network and matching; finds the mechanisms of a shot. */
  count: { ask: Counting<Wanted>; answer: Tally<number[]> };
  /** Windows and the whole history; finds the seed of a stream that windows alone get wrong. */
  stream: { ask: Counting<true> & { commit: number; buffer: number }; answer: Tally<number> };
}

/** Who fails: matching alone, the network (alone, where matching answers), or both. */
export type Wanted = "rival" | "network" | "both";

let model: Model, network: Network, decision: Decision;
let matching: { p: number; decoder: Matching } | null = null;
let long: { key: string; history: History; windows: Windows; next: number } | null = null;
let noise: { p: number; seed: number; source: Noise; random: Random } | null = null;

const answers: { [K in keyof Asked]: (ask: Asked[K]["ask"]) => Asked[K]["answer"] } = {
  open({ file }) {
    model = new Model(file);
    network = new Network(model);
    decision = new Decision(model.facts, model.tensors.data("head.logicals"));
    matching = noise = long = null;
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
      noise = { p, seed, source: Noise.of(model, p), random: new Random(seed) };
    const { start, detector, observables } = model.flips("fault");
    const rival = matchingAt(p);
    const end = performance.now() + milliseconds;
    const tally = { shots: 0, failures: rival ? [0, 0] : [0] };
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
      tally.failures[0] += Number(wrong);
      tally.failures[1] += Number(rivalWrong);
      if (until && wrong === (until !== "rival") && (rivalWrong === (until !== "network") || !rival))
        return { ...tally, found: happened };
    }
    return tally;
  },
  stream(asked) {
    const known = longAt(asked);
    const end = performance.now() + asked.milliseconds;
    const tally = { shots: 0, failures: [0, 0] };
    while (performance.now() < end) {
      const seed = known.next++ >>> 0;
      const { events, observables } = known.history.sample(seed);
      const windows = known.windows.decode(events).at(-1)!.frame !== observables;
      const whole = known.history.matched(events).observables !== observables;
      tally.shots++;
      tally.failures[0] += Number(windows);
      tally.failures[1] += Number(whole);
      if (asked.until && windows && !whole) return { ...tally, found: seed };
    }
    return tally;
  },
};

function longAt({ p, commit, buffer, seed }: Asked["stream"]["ask"]): NonNullable<typeof long> {
  const key = [p, commit, buffer, seed].join();
  if (long?.key !== key) {
    const history = History.of(model, p, rounds(model));
    long = { key, history, windows: new Windows(history, commit, buffer), next: seed };
  }
  return long;
}

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
