// From what the network says of many logical operators to one decision, as src/cascade_qec/engine/decision.py has it.

import type { Facts } from "./model.ts";

export interface Decided {
  /** Bit i: observable i is flipped. */
  observables: number;
  /** P(observable i is flipped), by the model's calibration. */
  probabilities: Float64Array;
  /** ln P(no observable wrong) / P(any wrong), by the model's calibration. */
  logOdds: number;
  /** Log-odds of each logical class against all others, before calibration; class c flips the observables in c. */
  scores: Float64Array;
}

export class Decision {
  private readonly masks: number[]; // the observables in each operator
  private readonly facts: Facts;

  constructor(facts: Facts, logicals: Uint8Array) {
    this.facts = facts;
    const { k } = facts.code;
    this.masks = Array.from({ length: logicals.length / k }, (_, o) => {
      let mask = 0;
      for (let i = 0; i < k; i++) mask |= logicals[o * k + i] << i;
      return mask;
    });
  }

  decide(evidence: Float32Array): Decided {
    if (!evidence.every(Number.isFinite)) {
      throw new Error("expected finite numbers from the network, got infinite ones or none at all (NaN)");
    }
    const {
      code: { k },
      scale,
      calibration,
    } = this.facts;
    const scores = this.votes(evidence).map((vote) => scale * vote);
    const best = scores.reduce((top, score, c) => (score > scores[top] ? c : top), 0);
    const second = scores.reduce((top, score, c) => (c !== best && score > top ? score : top), -Infinity);
    let total = 0;
    const flipped = new Float64Array(k);
    scores.forEach((score, c) => {
      if (c === best) return;
      const weight = Math.exp(score - second);
      total += weight;
      for (let i = 0; i < k; i++) if ((c >> i) & 1) flipped[i] += weight;
    });
    const logOdds = calibrated(calibration, scores[best] - Math.log(total) - second);
    const wrong = sigmoid(-logOdds);
    const probabilities = flipped.map((weight, i) => {
      const share = weight / total; // given that the decision is wrong
      return (best >> i) & 1 ? 1 - (1 - share) * wrong : share * wrong;
    });
    return { observables: best, probabilities, logOdds, scores };
  }

  /**
   * For each class the sum of evidence of the operators that it makes odd.
   *
   * With the evidence of all operators of mask m at m, that is (sum - its Walsh-Hadamard transform) / 2.
   */
  votes(evidence: Float32Array): Float64Array {
    const sums = new Float64Array(2 ** this.facts.code.k);
    this.masks.forEach((mask, o) => (sums[mask] += evidence[o]));
    for (let half = 1; half < sums.length; half *= 2) {
      for (let i = 0; i < sums.length; i++) {
        if (i & half) continue;
        [sums[i], sums[i | half]] = [sums[i] + sums[i | half], sums[i] - sums[i | half]];
      }
    }
    const all = sums[0];
    return sums.map((transformed) => (all - transformed) / 2);
  }
}

/** What a network's log-odds are worth, as src/cascade_qec/model/calibration.py has it. */
function calibrated({ raw, log_odds, before, beyond }: Facts["calibration"], x: number): number {
  const last = raw.length - 1;
  if (x <= raw[0]) return log_odds[0] + before * (x - raw[0]);
  if (x >= raw[last]) return log_odds[last] + beyond * (x - raw[last]);
  const i = raw.findIndex((knot) => x < knot) - 1;
  return log_odds[i] + ((x - raw[i]) / (raw[i + 1] - raw[i])) * (log_odds[i + 1] - log_odds[i]);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
