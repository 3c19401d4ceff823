// What a check inside a surface code reads: 3 by 3 checks in three rounds, with the sizes of the learnt weights.

import { colour, gradient } from "./colours.ts";
import { h, svg } from "./dom.ts";

/** A model's sizes: [blocks][one step][one plane][27 relations], round by round and row by row. */
export interface Surface {
  model: string;
  sizes: number[][][][];
}

export const UNIT = 24;
export const ROUNDS = ["the round before", "the same round", "the next round"];

export function surfaceKernel({ model, sizes }: Surface, wanted: number): HTMLElement[] {
  const block = Math.min(wanted, sizes.length - 1);
  const [weights] = sizes[block][0];
  const most = Math.max(...weights);
  const rounds = ROUNDS.map((caption, time) => ({ caption, of: weights.slice(9 * time, 9 * time + 9) }));
  return [
    h("p", { class: "about" }, "An X check inside a surface code reads 3 by 3 checks in three rounds: 27 places."),
    h("div", { class: "maps" }, ...rounds.map(({ caption, of }) => map(caption, of, most))),
    scale(`size of the weights, ${model}, block ${block + 1}`, most),
  ];
}

/** The colours of numbers from 0 to the largest. */
export function scale(what: string, most: number): HTMLElement {
  const colours = h("div", { style: `background: ${gradient("sequential")}` });
  return h("div", { class: "scale" }, `${what}: 0`, colours, most.toFixed(2));
}

function map(caption: string, sizes: number[], most: number): HTMLElement {
  const rows = [0, 3, 6].map((row) => sizes.slice(row, row + 3).map((size) => size.toFixed(2)));
  const label = `Sizes in ${caption}, row by row: ${rows.map((row) => row.join(", ")).join("; ")}`;
  const squares = sizes.map((size, at) => square(size / most, at, size.toFixed(3)));
  const viewBox = `-1 -1 ${3 * UNIT + 2} ${3 * UNIT + 2}`;
  return h(
    "figure",
    {},
    svg("svg", { viewBox, role: "img", "aria-label": label }, ...squares),
    h("figcaption", {}, caption),
  );
}

function square(share: number, at: number, says: string): SVGElement {
  return svg(
    "rect",
    {
      class: `place read ${at % 2 ? "z" : "x"}${at === 4 ? " picked" : ""}`,
      x: (at % 3) * UNIT + 1,
      y: Math.floor(at / 3) * UNIT + 1,
      width: UNIT - 2,
      height: UNIT - 2,
      rx: 3,
      fill: colour(share, "sequential"),
    },
    svg("title", {}, says),
  );
}
