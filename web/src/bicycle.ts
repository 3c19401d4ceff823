// The kernel of a bicycle code: what a check reads, from the code's polynomials (src/cascade_qec/page/kernels.py).
//
// Checks are numbered with X before Z, data qubits with block L before R, each with its place i * m + j on the torus.
// X check g meets g * a in L and g * b in R; Z check g meets g / b in L and g / a in R. A relation is a term: those of A
// come first. In time a data qubit reads its checks in its own round and the next, and a check its data qubits in its
// own round and the one before.

export type Step = [i: number, j: number];

export interface Bicycle {
  name: string;
  n: number;
  k: number;
  d: number;
  l: number;
  m: number;
  a: Step[];
  b: Step[];
  model: string | null;
  /** Of a model's weights: [blocks][to data qubits, to checks][planes][relations]; null where there is no model. */
  sizes: number[][][][] | null;
}

/** The places that are read, each with the size of the weights in the round before, the same and the next; 0: unread. */
export type Read = Map<number, [number, number, number]>;

/** The data qubits of a check, by relation. */
export function dataOf(code: Bicycle, check: number): number[] {
  const half = code.l * code.m;
  const isX = check < half;
  return relations(code).map(
    ({ step, ofA }) => (ofA === isX ? 0 : half) + moved(code, check % half, step, isX ? 1 : -1),
  );
}

/** The checks of a data qubit, by relation. */
export function checksOf(code: Bicycle, qubit: number): number[] {
  const half = code.l * code.m;
  return relations(code).map(({ step, ofA }) => {
    const isX = ofA === qubit < half;
    return (isX ? 0 : half) + moved(code, qubit % half, step, isX ? -1 : 1);
  });
}

/** What a check reads of data qubits, in its own round and the one before. */
export function readsData(code: Bicycle, check: number, block: number): Read {
  const plane = check < code.l * code.m ? 1 : 0; // Z checks come first in a network
  return read(dataOf(code, check), [0, -1], code.sizes?.[block][1][plane]);
}

/** What a data qubit reads of checks, in its own round and the next. */
export function readsChecks(code: Bicycle, qubit: number, block: number): Read {
  return read(checksOf(code, qubit), [0, 1], code.sizes?.[block][0][qubit < code.l * code.m ? 0 : 1]);
}

/** What a check sees in both steps: sizes along each way multiplied, those of several ways added in squares. */
export function sees(code: Bicycle, check: number, block: number): Read {
  const found: Read = new Map();
  for (const [qubit, there] of readsData(code, check, block)) {
    for (const [other, here] of readsChecks(code, qubit, block)) {
      const sizes = found.get(other) ?? [0, 0, 0];
      there.forEach((first, t) =>
        here.forEach((second, u) => {
          if (first && second) sizes[t + u - 1] = Math.hypot(sizes[t + u - 1], first * second);
        }),
      );
      found.set(other, sizes);
    }
  }
  return found;
}

/** Where a check or a data qubit is drawn; checks of Z lie in the middle of the cells that those of X make. */
export function position(code: Bicycle, of: "check" | "qubit", number: number): Step {
  const half = code.l * code.m;
  const [i, j] = [Math.floor((number % half) / code.m), number % code.m];
  if (of === "check") return number < half ? [i, j] : [i + 0.5, j + 0.5];
  return number < half ? [i + 0.5, j] : [i, j + 0.5];
}

/** The terms of a polynomial: x³, y², or 1. */
export function terms(code: Bicycle, of: "A" | "B"): string[] {
  const raised = (exponent: number) => [...String(exponent)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]).join("");
  const power = (name: string, exponent: number) => (exponent ? name + (exponent > 1 ? raised(exponent) : "") : "");
  return (of === "A" ? code.a : code.b).map(([i, j]) => power("x", i) + power("y", j) || "1");
}

function relations(code: Bicycle): { step: Step; ofA: boolean }[] {
  return [...code.a.map((step) => ({ step, ofA: true })), ...code.b.map((step) => ({ step, ofA: false }))];
}

/** The place that is a step away, forwards or backwards, on the torus. */
export function moved({ l, m }: Bicycle, place: number, [i, j]: Step, sign: number): number {
  const [x, y] = [Math.floor(place / m) + sign * i, (place % m) + sign * j];
  return (((x % l) + l) % l) * m + (((y % m) + m) % m);
}

/** Sizes of 1 stand for those of a model that is not there. */
function read(places: number[], times: [number, number], sizes: number[] | undefined): Read {
  return new Map(
    places.map((place, relation) => {
      const found: [number, number, number] = [0, 0, 0];
      times.forEach((time, which) => (found[time + 1] = sizes ? sizes[which * places.length + relation] : 1));
      return [place, found];
    }),
  );
}
