import assert from "node:assert/strict";
import { test } from "node:test";
import type { Edge } from "../src/graph.ts";
import { History, Windows } from "../src/windows.ts";
import { NAMES, model, shot, values } from "./values.ts";

for (const name of NAMES.filter((name) => values(name).stream)) {
  const known = values(name).stream!;
  const found = History.of(model(name), known.p, known.rounds);
  // The weights of the shots are not uniform noise's, under which several answers are as likely.
  const errors = known.errors.map(([ends, observables, probability, unequal]) => ({
    ends: (ends.length < 2 ? [ends[0], found.slices * found.checks] : ends) as [number, number],
    observables,
    probability,
    unequal,
  }));
  const unequal = errors.map((error) => ({ ...error, probability: error.unequal }));
  const history = new History(known.rounds, found.checks, unequal);

  test(`a long history of ${name} has the errors that Stim finds`, () => {
    const key = ({ ends, observables }: Edge) => `${[...ends].sort((a, b) => a - b)} ${observables}`;
    const here = new Map(found.edges.map((edge) => [key(edge), edge.probability]));
    assert.equal(here.size, errors.length);
    for (const error of errors) assert.ok(Math.abs(here.get(key(error))! / error.probability - 1) < 1e-9);
  });

  for (const [sizes, answers] of Object.entries(known.windows)) {
    test(`${name} in windows of ${sizes} rounds predicts what Python's stream does`, () => {
      const [commit, buffer] = sizes.split("+").map(Number);
      const windows = new Windows(history, commit, buffer);
      known.events.forEach((events, i) => {
        const decided = windows.decode(shot(history.slices * history.checks, events));
        assert.deepEqual(
          decided.map(({ frame }) => frame),
          answers[i],
        );
      });
    });
  }

  test(`what ${name} is matched to explains its events, whole and in windows`, () => {
    const windows = new Windows(history, 2, 1);
    known.events.forEach((events, i) => {
      const bits = shot(history.slices * history.checks, events);
      const whole = history.matched(bits);
      assert.equal(whole.observables, known.whole[i]);
      for (const errors of [whole.errors, windows.decode(bits).flatMap(({ decided }) => decided)]) {
        const left = bits.slice();
        errors.forEach((edge) => history.flip(left, edge));
        assert.ok(!left.includes(1));
      }
    });
  });
}
