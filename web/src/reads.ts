// What a check reads in a block, and how large the learnt weights are with which it does.

import { colour, gradient } from "./colours.ts";
import { byId, h, many, svg } from "./dom.ts";
import { UNIT, cell, map, when } from "./lattice.ts";
import type { Scene } from "./scene.ts";

/** Sites that are read, with the size of the weights. */
type Read = Map<number, number>;

export class Reads {
  private readonly scene: Scene;
  private readonly steps: number;
  private readonly middle: number; // the site that is shown where none is looked at
  private readonly checkSite: Int16Array; // [slices, checks]
  private readonly dataSite: Int16Array; // [slices, qubits]

  constructor(scene: Scene) {
    const { model, n } = scene;
    const { tensors, facts } = model;
    this.scene = scene;
    this.steps = tensors.has("step1.read") ? 2 : 1;
    this.checkSite = tensors.data<Int16Array>("draw.site");
    this.dataSite = tensors.data<Int16Array>("draw.data_site");
    const away = scene.at.slice(n).map(([x, y]) => Math.hypot(x, y));
    const central = away.indexOf(Math.min(...away));
    this.middle = this.checkSite[Math.floor(facts.slices / 2) * model.checks + central];
  }

  update(looked: number, block: number): void {
    const { scene } = this;
    const site = looked < 0 ? this.middle : looked;
    const at = this.checkSite.indexOf(site);
    const slice = Math.floor(at / scene.model.checks);
    const name = `${scene.faults.checkName(at % scene.model.checks)} in ${when(scene, slice)}`;
    const last = this.read(site, this.steps - 1, block);
    const both = this.steps === 1 ? last : this.through(last, block);
    const shown: [string, Read, "checks" | "data"][] = [
      [`${name} reads ${many(both.size, "place")} in block ${block + 1}.`, both, "checks"],
    ];
    if (this.steps === 2) {
      shown[0][0] = `These read checks. In two steps ${many(both.size, "place")} are seen.`;
      shown.unshift([`${name} reads data qubits at ${many(last.size, "place")} in block ${block + 1}.`, last, "data"]);
    }
    byId("reads").replaceChildren(
      ...shown.flatMap(([text, read, places]) => {
        const most = Math.max(...read.values());
        const sites = places === "checks" ? this.checkSite : this.dataSite;
        const width = sites.length / scene.model.facts.slices;
        const slices = new Set([...read.keys()].map((other) => Math.floor(sites.indexOf(other) / width)).sort());
        return [
          h("p", {}, text),
          h(
            "div",
            { class: "maps" },
            ...[...slices].map((t) => map(scene, when(scene, t), this.marks(t, read, places, most, site))),
          ),
          h(
            "div",
            { class: "scale" },
            "size of the weights: 0",
            h("div", { style: `background: ${gradient("sequential")}` }),
            most.toFixed(2),
          ),
        ];
      }),
    );
  }

  /** What a site reads in one step of a block's convolution. */
  private read(site: number, step: number, block: number): Read {
    const { tensors } = this.scene.model;
    const { shape, data } = tensors.tensor<Int16Array>(`step${step}.read`);
    const weight = tensors.tensor<Float32Array>(`block${block}.step${step}.weight`);
    const plane = tensors.data<Uint8Array>(`step${step}.plane`)[site];
    const size = weight.shape[2] * weight.shape[3];
    const found: Read = new Map();
    for (let r = 0; r < shape[1]; r++) {
      const other = data[site * shape[1] + r];
      if (other < 0) continue;
      const from = (plane * shape[1] + r) * size;
      found.set(other, Math.hypot(...weight.data.subarray(from, from + size)));
    }
    return found;
  }

  /** What is read in two steps: the sizes along each way multiplied, those of several ways added in squares. */
  private through(data: Read, block: number): Read {
    const found: Read = new Map();
    for (const [qubit, size] of data) {
      for (const [check, other] of this.read(qubit, 0, block)) {
        found.set(check, Math.hypot(found.get(check) ?? 0, size * other));
      }
    }
    return found;
  }

  private marks(slice: number, read: Read, places: "checks" | "data", most: number, site: number): SVGElement[] {
    const { scene } = this;
    const { checks } = scene.model;
    const fill = (other: number) => (read.has(other) ? colour(read.get(other)! / most, "sequential") : "none");
    const cells = Array.from({ length: checks }, (_, check) => {
      const here = this.checkSite[slice * checks + check];
      const looked = here === site ? " looked" : "";
      return svg("path", {
        d: cell(scene, check),
        class: `cell empty${looked}`,
        fill: places === "checks" ? fill(here) : "none",
      });
    });
    if (places === "checks") return cells;
    const dots = scene.at.slice(0, scene.n).map(([x, y], qubit) => {
      const here = this.dataSite[slice * scene.n + qubit];
      return svg("circle", {
        cx: x * UNIT,
        cy: y * UNIT,
        r: read.has(here) ? 6 : 2.5,
        class: "datum",
        fill: fill(here),
      });
    });
    return [...cells, ...dots];
  }
}
