import assert from "node:assert/strict";
import { test } from "node:test";
import { Decision } from "../src/decision.ts";
import { plain, vectors } from "../src/kernel.ts";
import { Network } from "../src/network.ts";
import { receptiveField } from "../src/receptive.ts";
import { NAMES, model, shot, values } from "./values.ts";

for (const name of NAMES) {
  test(`${name} decides as in Python, and is as sure`, () => {
    const here = model(name);
    const network = new Network(here);
    const decision = new Decision(here.facts, here.tensors.data("head.logicals"));
    const known = values(name);
    known.events.forEach((events, i) => {
      const decided = decision.decide(network.evidence(shot(here.detectors, events)));
      assert.equal(decided.observables, known.observables[i]);
      known.probabilities[i].forEach((p, k) => assert.ok(Math.abs(p - decided.probabilities[k]) < 1e-4));
      assert.ok(Math.abs(decided.logOdds - known.log_odds[i]) < 1e-3);
    });
    assert.ok(new Set(known.observables).size > 1);
  });
}

for (const name of NAMES) {
  test(`what is drawn of ${name} is what explain says`, () => {
    const here = model(name);
    const { width } = here.facts;
    const network = new Network(here);
    const decision = new Decision(here.facts, here.tensors.data("head.logicals"));
    const { explained: told, events } = values(name);
    told.sizes.forEach((sizes, i) => {
      const layers: Float32Array[] = [];
      const scores = decision.decide(network.evidence(shot(here.detectors, events[i]), layers)).scores;
      told.scores[i].forEach((score, c) => assert.ok(Math.abs(score - scores[c]) < 1e-3));
      assert.equal(layers.length, sizes.length);
      layers.forEach((layer, l) =>
        sizes[l].forEach((size, site) => {
          const features = layer.subarray(site * width, (site + 1) * width);
          assert.ok(Math.abs(Math.hypot(...features) - size) < 1e-4 * (1 + size));
          assert.ok(Math.abs(features[5] - told.channel[i][l][site]) < 1e-3);
        }),
      );
    });
    for (const [site, layer, sites] of told.fields) {
      const field = receptiveField(here, site, Math.min(layer, here.facts.depth));
      assert.deepEqual(
        [...field.keys()].filter((other) => field[other]),
        sites,
      );
    }
    const support = here.tensors.tensor<Uint8Array>("draw.operator");
    told.operators.forEach((qubits, o) =>
      assert.deepEqual(
        [...Array(support.shape[1]).keys()].filter((q) => support.data[o * support.shape[1] + q]),
        qubits,
      ),
    );
  });
}

test("segments are decided each on its own, and then together", () => {
  const here = model("segments");
  const network = new Network(here);
  const decision = new Decision(here.facts, here.tensors.data("head.logicals"));
  const { events, log_odds } = values("segments");
  events.forEach((some, i) => {
    const { logOdds } = decision.decide(network.evidence(shot(here.detectors, some)));
    assert.ok(Math.abs(logOdds - log_odds[i]) < 1e-3);
  });
});

test("numbers that are none are not decided by", () => {
  const here = model("surface_d3");
  const decision = new Decision(here.facts, here.tensors.data("head.logicals"));
  assert.throws(() => decision.decide(new Float32Array([1, NaN, 2])), /finite/);
});

test("the kernel in WebAssembly computes what the loops say", () => {
  const here = model("surface_d3");
  const [fast, slow] = [vectors, plain].map((kernel) => new Network(here, kernel));
  for (const events of values("surface_d3").events.slice(0, 20)) {
    const layers: Float32Array[][] = [[], []];
    const bits = shot(here.detectors, events);
    fast.evidence(bits, layers[0]);
    slow.evidence(bits, layers[1]);
    assert.equal(layers[0].length, here.facts.depth + 2);
    layers[0].forEach((layer, l) => layer.forEach((x, i) => assert.ok(Math.abs(x - layers[1][l][i]) < 1e-4)));
  }
});

test("SiLU holds far from zero", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const floats = new Float32Array(memory.buffer, 0, 8);
  floats.set([-1000, -88, -20, -0.5, 0, 0.5, 20, 1000]);
  const before = [...floats];
  vectors(memory).silu(0, 32);
  before.forEach((x, i) => assert.ok(Math.abs(floats[i] - x / (1 + Math.exp(-x))) < 1e-6 * (1 + Math.abs(x))));
});
