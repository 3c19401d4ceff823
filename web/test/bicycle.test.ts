import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checksOf,
  dataOf,
  moved,
  readsChecks,
  readsData,
  sees,
  terms,
  type Bicycle,
  type Read,
} from "../src/bicycle.ts";
import { BICYCLES } from "../src/state.ts";
import type { Surface } from "../src/surface_kernel.ts";
import { json } from "./values.ts";

type Place = [number: number, time: number, size: number];
interface OfCheck {
  check: number;
  direct: [number: number, time: number][];
  both: Place[];
  data: Place[];
  checks: Place[][];
}

const { bicycles, surface } = json<{ bicycles: Bicycle[]; surface: Surface }>("kernels");
const known = json<{ bicycles: Record<string, OfCheck[]>; surface: number[] }>("kernel_values");
const BLOCK = 2;

const listed = (read: Read) =>
  [...read].flatMap(([number, sizes]) => sizes.flatMap((size, t): Place[] => (size ? [[number, t - 1, size]] : [])));

/** The same places, and sizes to the digits that the page is given. */
function same(read: Read, places: Place[], sizes: boolean): void {
  const here = new Map(listed(read).map(([number, time, size]) => [`${number} ${time}`, size]));
  assert.deepEqual([...here.keys()].sort(), places.map(([number, time]) => `${number} ${time}`).sort());
  if (!sizes) return;
  for (const [number, time, size] of places)
    assert.ok(Math.abs(here.get(`${number} ${time}`)! / size - 1) < 2e-3, `${number} ${time}`);
}

test("the page has the kernels of all codes that can be chosen", () => {
  assert.deepEqual(
    bicycles.map(({ name }) => name),
    [...BICYCLES],
  );
  assert.deepEqual(
    bicycles.filter(({ sizes }) => !sizes).map(({ name }) => name),
    ["bb90", "bb288"],
  );
});

for (const code of bicycles) {
  test(`checks of ${code.name} read what the code's relations say, with the model's weights`, () => {
    const learnt = code.sizes !== null;
    for (const { check, direct, both, data, checks } of known.bicycles[code.name]) {
      const seen = sees(code, check, BLOCK);
      assert.equal(seen.size, 22);
      const places = (list: [number, number, ...unknown[]][]) =>
        list.map(([number, time]) => `${number} ${time}`).sort();
      assert.deepEqual(places(listed(seen)), places(direct));
      same(seen, both, learnt);
      same(readsData(code, check, BLOCK), data, learnt);
      dataOf(code, check).forEach((qubit, relation) => {
        assert.equal(qubit, data[relation][0]);
        same(readsChecks(code, qubit, BLOCK), checks[relation], learnt);
        assert.equal(checksOf(code, qubit)[relation], check);
      });
    }
  });
}

test("the surface code's sizes are those of the model's weights", () => {
  const [sizes] = surface.sizes[BLOCK][0];
  assert.equal(sizes.length, 27);
  sizes.forEach((size, relation) => assert.ok(Math.abs(size - known.surface[relation]) < 1e-4));
});

test("a step off the torus comes back on the other side", () => {
  const [bb72, bb90] = bicycles;
  assert.equal(moved(bb72, 0, [1, 1], -1), 35);
  assert.equal(moved(bb90, 44, [1, 1], 1), 0);
  assert.deepEqual(terms(bb90, "B"), ["1", "x²", "x⁷"]);
});
