// The circuit's own error model: every mechanism that Stim finds, at any strength of uniform noise.

import type { Model } from "./model.ts";
import type { Random } from "./random.ts";

/** How likely mechanisms are, from places [mechanisms, 3]: flips, depolarised qubits, depolarised pairs. */
export function probabilities(count: Uint8Array, p: number): Float64Array {
  const shrinking = [1 - 2 * p, (1 - (4 * p) / 3) ** (1 / 2), (1 - (16 * p) / 15) ** (1 / 8)];
  return Float64Array.from({ length: count.length / 3 }, (_, m) => {
    let even = 1;
    for (let kind = 0; kind < 3; kind++) even *= shrinking[kind] ** count[3 * m + kind];
    return (1 - even) / 2;
  });
}

/** Draws which of several independent errors happen in a shot. */
export class Noise {
  private readonly groups: { members: Int32Array; logMiss: number }[];

  constructor(likely: Float64Array) {
    const byProbability = new Map<number, number[]>();
    likely.forEach((probability, m) => {
      const group = byProbability.get(probability);
      if (group) group.push(m);
      else byProbability.set(probability, [m]);
    });
    this.groups = [...byProbability].map(([probability, members]) => ({
      members: Int32Array.from(members),
      logMiss: Math.log1p(-probability),
    }));
  }

  /** Of the mechanisms of a model's circuit, at a strength. */
  static of(model: Model, p: number): Noise {
    return new Noise(probabilities(model.tensors.data("fault.count"), p));
  }

  shot(random: Random): number[] {
    const happened: number[] = [];
    for (const { members, logMiss } of this.groups) {
      // how many do not happen before the next one that does is geometric
      for (let i = skipped(random, logMiss); i < members.length; i += 1 + skipped(random, logMiss))
        happened.push(members[i]);
    }
    return happened.sort((a, b) => a - b);
  }
}

function skipped(random: Random, logMiss: number): number {
  return Math.floor(Math.log(random.next()) / logMiss);
}
