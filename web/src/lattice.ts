// A small flat map of the code, a cell for each check: as squares on a planar code, as diamonds on a torus.

import { h, svg } from "./dom.ts";
import type { Scene } from "./scene.ts";

export const UNIT = 20;

/** The outline of a check's cell; the cells of both kinds together tile the plane. */
export function cell(scene: Scene, check: number): string {
  const [x, y] = scene.at[scene.n + check].map((at) => at * UNIT);
  const r = UNIT / 2;
  return scene.model.facts.period
    ? `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`
    : `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}Z`;
}

export function map(scene: Scene, caption: string, marks: SVGElement[]): HTMLElement {
  const half = (scene.half + 0.55) * UNIT;
  const viewBox = `${-half} ${-half} ${2 * half} ${2 * half}`;
  return h("figure", {}, svg("svg", { viewBox, "aria-hidden": "true" }, ...marks), h("figcaption", {}, caption));
}

export function when(scene: Scene, slice: number): string {
  return slice === scene.model.facts.rounds ? "readout" : `round ${slice + 1}`;
}
