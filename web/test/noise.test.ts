import assert from "node:assert/strict";
import { test } from "node:test";
import { Noise, probabilities } from "../src/noise.ts";
import { Random } from "../src/random.ts";
import { wilson } from "../src/statistics.ts";
import { NAMES, model, values } from "./values.ts";

for (const name of NAMES) {
  test(`mechanisms of ${name} are as likely as Stim says`, () => {
    const known = values(name);
    const here = probabilities(model(name).tensors.data("fault.count"), known.p);
    assert.equal(here.length, known.mechanisms.length);
    known.mechanisms.forEach((p, m) => assert.ok(Math.abs(here[m] / p - 1) < 1e-9));
  });
}

test("detection events are as frequent as Stim says", () => {
  const here = model("surface_d3");
  const known = values("surface_d3");
  const shots = 20000;
  const { start, detector } = here.flips("fault");
  const noise = Noise.of(here, known.p);
  const random = new Random(7);
  const lit = new Float64Array(here.detectors);
  for (let i = 0; i < shots; i++) {
    const events = new Uint8Array(here.detectors);
    for (const fault of noise.shot(random))
      for (let at = start[fault]; at < start[fault + 1]; at++) events[detector[at]] ^= 1;
    events.forEach((event, d) => (lit[d] += event));
  }
  // 24 detectors, five standard deviations: one seed in 70,000 fails
  known.rates.forEach((rate, d) =>
    assert.ok(Math.abs(lit[d] / shots - rate) < 5 * Math.sqrt((rate * (1 - rate)) / shots)),
  );
});

test("one seed gives one stream", () => {
  const stream = (seed: number) =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.next()
      )(new Random(seed)),
    );
  assert.deepEqual(stream(3), stream(3));
  assert.notDeepEqual(stream(3), stream(4));
});

test("intervals of rates are Wilson's", () => {
  for (const [failures, shots, low, high] of values("surface_d3").intervals) {
    const rate = wilson(failures, shots);
    assert.ok(Math.abs(rate.low - low) < 1e-9 && Math.abs(rate.high - high) < 1e-9);
  }
});
