import assert from "node:assert/strict";
import { test } from "node:test";
import { heaviestMatching } from "../src/blossom.ts";
import { Matching } from "../src/matching.ts";
import { Random } from "../src/random.ts";
import { NAMES, model, shot, values } from "./values.ts";

for (const name of NAMES.filter((name) => name.startsWith("surface"))) {
  test(`matching on ${name} predicts what PyMatching does, at the same weight`, () => {
    const here = model(name);
    const known = values(name);
    const matching = new Matching(here, known.p);
    known.events.forEach((events, i) => {
      const matched = matching.decode(shot(here.detectors, events));
      assert.equal(matched.observables, known.matching![i]);
      assert.ok(Math.abs(matched.weight - known.weight![i]) < 1e-4);
    });
  });
}

test("no matching of a small graph is heavier", () => {
  const random = new Random(1);
  for (let round = 0; round < 300; round++) {
    const n = 2 + Math.floor(7 * random.next());
    const weights = Array.from({ length: n * n }, () => Math.floor(30 * random.next()) - 8);
    const weight = (u: number, v: number) => weights[Math.min(u, v) * n + Math.max(u, v)];
    const partner = heaviestMatching(n, weight);
    let total = 0;
    partner.forEach((v, u) => {
      if (v < 0) return;
      assert.equal(partner[v], u);
      total += weight(u, v) / 2;
    });
    assert.equal(total, heaviest([...Array(n).keys()], weight));
  }
});

function heaviest(vertices: number[], weight: (u: number, v: number) => number): number {
  if (vertices.length < 2) return 0;
  const [u, ...rest] = vertices;
  return Math.max(
    heaviest(rest, weight),
    ...rest.map(
      (v) =>
        weight(u, v) +
        heaviest(
          rest.filter((other) => other !== v),
          weight,
        ),
    ),
  );
}
