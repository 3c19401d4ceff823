import assert from "node:assert/strict";
import { test } from "node:test";
import { Faults, toggled } from "../src/faults.ts";
import { START, read, written } from "../src/state.ts";
import { NAMES, model, shot, values } from "./values.ts";

for (const name of NAMES) {
  test(`faults that are put into ${name} flip what Stim says`, () => {
    const here = model(name);
    const faults = new Faults(here);
    for (const { fault, events, observables } of values(name).put) {
      assert.ok(faults.knows(fault));
      assert.deepEqual(faults.shot([fault]), { events: shot(here.detectors, events), observables });
      assert.deepEqual(faults.shot([fault, fault]), { events: new Uint8Array(here.detectors), observables: 0 });
    }
    assert.ok(
      !faults.knows(`x${here.facts.code.n}.0`) && !faults.knows(`r0.${here.facts.rounds}`) && !faults.knows("m999999"),
    );
  });
}

test("every mechanism has a place and a name", () => {
  for (const name of NAMES) {
    const here = model(name);
    const faults = new Faults(here);
    here.flips("fault").observables.forEach((_, m) => {
      assert.match(faults.label(`m${m}`), /^([XYZ] on|wrong measurement of) .*, (round \d+|readout)/);
      assert.ok(faults.marks(`m${m}`).every(({ round, letter }) => round <= here.facts.rounds && letter));
    });
  }
});

test("an address says what the page shows", () => {
  const state = { ...START, model: "bb72" as const, p: 0.002, faults: ["m12", "x3.1"], layer: 4, seed: 2 ** 32 - 1 };
  assert.deepEqual(read(`#${written(state)}`), state);
  assert.deepEqual(read(`#${written({ ...START, faults: [] })}`), { ...START, faults: [] });
  assert.equal(written(START), "");
});

test("what an address says wrongly is as at the start", () => {
  const stream = "stream=bb72&noise=3&commit=0&buffer=99&seed=99999999999&arrived=-1&lines=no&kernel=bb7&via=6&block=0";
  assert.deepEqual(read(`#${stream}&shot=x&fails=nobody&from=here`), START);
  assert.deepEqual(read("#model=bb7&p=7&round=-1&layer=x&view=no&channel=&faults=m1+x+<b>"), {
    ...START,
    faults: ["m1"],
  });
});

test("a fault that is there goes, and one that is not comes", () => {
  assert.deepEqual(toggled(["x1.1"], "x1.1"), []);
  assert.deepEqual(toggled(["x1.1"], "z1.1"), ["x1.1", "z1.1"]);
});
