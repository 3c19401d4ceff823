// The network, folded for inference, as src/cascade_qec/engine/reference.py has it: from detection events to log-odds.

import { fastest, type Kernel } from "./kernel.ts";
import type { Model } from "./model.ts";

const PAGES = 128; // of 64 KiB: all weights, tables and activations of bb72 take a quarter of it

/** Numbers in the memory that the kernel sees. */
interface Region {
  at: number; // byte
  view: Float32Array;
}

/** Who reads whom: the kernel's pairs for site s lie from byte starts[s] to starts[s + 1]. */
interface Table {
  sites: number;
  starts: Int32Array;
}

interface Block {
  scale: Float32Array;
  shift: Float32Array;
  down: Region;
  downBias: Float32Array;
  steps: { table: Table; weight: Region; bias: Float32Array }[];
  up: Region;
}

export class Network {
  readonly sites: number;
  readonly width: number;
  readonly operators: number;
  private readonly model: Model;
  private readonly memory = new WebAssembly.Memory({ initial: PAGES });
  private readonly kernel: Kernel;
  private top = 0;
  private readonly single: number; // where the list lies of a row that reads itself alone
  private readonly channels: number;
  private readonly embedding: Float32Array;
  private readonly blocks: Block[];
  private readonly toData: { table: Table; weight: Region };
  private readonly hidden: Region;
  private readonly x: Region; // [sites, width], the residual stream
  private readonly wide: Region;
  private readonly narrow: [Region, Region];
  private readonly read: Region; // [data places, width]
  private readonly logical: Region; // [operators, width]

  constructor(model: Model, kernel: (memory: WebAssembly.Memory) => Kernel = fastest) {
    this.model = model;
    const file = model.tensors;
    const { width, depth } = model.facts;
    const float = (name: string) => file.data<Float32Array>(name);
    this.width = width;
    this.channels = float("block0.down_bias").length;
    this.embedding = float("trunk.embedding");
    this.sites = file.data("site.fill").length;
    this.operators = file.tensor("head.members").shape[0];
    this.kernel = kernel(this.memory);
    this.single = this.list([0, 0]);
    const steps = [0, 1].filter((step) => file.has(`step${step}.read`));
    const tables = steps.map((step) =>
      this.table(`step${step}`, this.channels, this.channels, `block0.step${step}.weight`),
    );
    this.blocks = [...Array(depth).keys()].map((block) => ({
      scale: float(`block${block}.scale`),
      shift: float(`block${block}.shift`),
      down: this.copied(float(`block${block}.down`)),
      downBias: float(`block${block}.down_bias`),
      steps: steps.map((step) => ({
        table: tables[step],
        weight: this.copied(float(`block${block}.step${step}.weight`)),
        bias: float(`block${block}.step${step}.bias`),
      })),
      up: this.copied(float(`block${block}.up`)),
    }));
    this.toData = {
      table: this.table("to_data", width, width, "head.to_data"),
      weight: this.copied(float("head.to_data")),
    };
    this.hidden = this.copied(float("head.hidden"));
    const rows = Math.max(this.sites, this.operators, file.data("head.order").length);
    const places = Math.max(...tables.map((table) => table.sites), this.sites);
    this.x = this.region(this.sites * width);
    this.wide = this.region(rows * 2 * width);
    this.narrow = [this.region(places * this.channels), this.region(places * this.channels)];
    this.read = this.region(this.toData.table.sites * width);
    this.logical = this.region(this.operators * width);
  }

  /**
   * Log-odds that each operator's sum of observables is odd, from detection events, 0 or 1 each.
   *
   * `layers` is given the features [sites, width]: behind the embedding, behind each block, and as the head reads them.
   */
  evidence(events: Uint8Array, layers?: Float32Array[]): Float32Array {
    const detector = this.model.tensors.data<Int16Array>("site.detector");
    const fill = this.model.tensors.data<Uint8Array>("site.fill"); // silence or no detector, where none is shown
    const states = fill.map((absent, site) => (detector[site] < 0 ? absent : events[detector[site]]));
    this.trunk(states, layers);
    return this.head(states);
  }

  private trunk(states: Uint8Array, layers?: Float32Array[]): void {
    const { sites, width, channels, x, wide } = this;
    const file = this.model.tensors;
    const kind = file.data<Int16Array>("site.kind");
    const keep = () => layers?.push(x.view.slice(0, sites * width));
    for (let site = 0; site < sites; site++) {
      const row = (kind[site] + states[site]) * width;
      x.view.set(this.embedding.subarray(row, row + width), site * width);
    }
    keep();
    for (const block of this.blocks) {
      this.normed(block.scale, block.shift, wide);
      let [from, to] = this.narrow;
      filled(from.view, block.downBias, sites);
      this.multiply(sites, wide, width, block.down, from, channels);
      this.silu(from, sites * channels);
      for (const { table, weight, bias } of block.steps) {
        filled(to.view, bias, table.sites);
        this.convolve(table, from, channels, weight, to, channels);
        this.silu(to, table.sites * channels);
        [from, to] = [to, from];
      }
      this.multiply(sites, from, channels, block.up, x, width);
      keep();
    }
    this.normed(file.data("trunk.scale"), file.data("trunk.shift"), x);
    keep();
  }

  private head(states: Uint8Array): Float32Array {
    const segments = this.model.tensors.tensor("head.segments").shape[0];
    const logits = [...Array(segments).keys()].map((segment) => this.segment(segment));
    const odd = this.checksSay(states);
    return logits
      .reduce((one, other) => one.map((logit, o) => either(logit, other[o])))
      .map((logit, o) => (odd[o] ? -logit : logit));
  }

  /** Log-odds that a segment flips each operator. */
  private segment(segment: number): Float32Array {
    const { width, operators, x, wide, read, logical } = this;
    const file = this.model.tensors;
    const { slices, share, output_bias } = this.model.facts;
    const [first, behind] = file.data<Int16Array>("head.segments").subarray(2 * segment);
    const short = (name: string) => file.data<Int16Array>(`head.${name}`);
    const sites = short("sites");
    const order = short("order");
    const start = short("start");
    const place = short("place");
    wide.view.fill(0, 0, order.length * width);
    for (let row = 0; row < order.length; row++) {
      // the sum of a check place over the segment's slices, or (odd) over those one later
      const which = order[row];
      const later = which & 1;
      for (let t = first + later; t < Math.min(behind + later, slices); t++) {
        this.add(wide.view, row, x.view, sites[(which >> 1) * slices + t], 1);
      }
    }
    read.view.fill(0);
    this.convolve(this.toData.table, wide, width, this.toData.weight, read, width);
    const biases = file.data<Float32Array>("head.hidden_bias");
    const hidden = 2 * width;
    logical.view.fill(0);
    for (let o = 0; o < operators; o++) {
      for (let entry = start[o]; entry < start[o + 1]; entry++) {
        this.add(logical.view, o, read.view, place[entry], share);
      }
    }
    filled(wide.view, biases.subarray(hidden * segment, hidden * (segment + 1)), operators);
    this.multiply(operators, logical, width, this.hidden, wide, hidden);
    this.silu(wide, operators * hidden);
    const output = file.data<Float32Array>("head.output");
    return Float32Array.from({ length: operators }, (_, o) => {
      let logit = output_bias;
      for (let c = 0; c < output.length; c++) logit += wide.view[o * output.length + c] * output[c];
      return logit;
    });
  }

  /** to[row] += times from[other]. */
  private add(to: Float32Array, row: number, from: Float32Array, other: number, times: number): void {
    const at = row * this.width;
    const start = other * this.width;
    for (let c = 0; c < this.width; c++) to[at + c] += times * from[start + c];
  }

  /** The last values of each operator's checks, added up. */
  private checksSay(states: Uint8Array): Uint8Array {
    const { slices } = this.model.facts;
    const file = this.model.tensors;
    const checks = file.data<Int16Array>("head.checks");
    const members = file.data<Uint8Array>("head.members");
    const values = new Uint8Array(checks.length / slices);
    const odd = new Uint8Array(this.operators);
    checks.forEach((site, at) => (values[Math.floor(at / slices)] ^= states[site] & 1));
    members.forEach((member, at) => (odd[Math.floor(at / values.length)] ^= member & values[at % values.length]));
    return odd;
  }

  /** y = silu(scale x + shift) at every site, of the residual stream x. */
  private normed(scale: Float32Array, shift: Float32Array, y: Region): void {
    const x = this.x.view;
    const { width } = this;
    for (let row = 0; row < this.sites * width; row += width) {
      for (let c = 0; c < width; c++) y.view[row + c] = scale[c] * x[row + c] + shift[c];
    }
    this.silu(y, this.sites * width);
  }

  private silu(y: Region, size: number): void {
    this.kernel.silu(y.at, y.at + 4 * size);
  }

  /** to[site] += sum over who is read of from[read] weight[plane, relation]. */
  private convolve(table: Table, from: Region, inputs: number, weight: Region, to: Region, outputs: number): void {
    for (let site = 0; site < table.sites; site++) {
      const [list, end] = [table.starts[site], table.starts[site + 1]];
      this.kernel.accumulate(from.at, weight.at, to.at + site * outputs * 4, list, end, inputs * 4, outputs * 4);
    }
  }

  /** to[row] += from[row] weight. */
  private multiply(rows: number, from: Region, inputs: number, weight: Region, to: Region, outputs: number): void {
    for (let row = 0; row < rows; row++) {
      const [x, y] = [from.at + row * inputs * 4, to.at + row * outputs * 4];
      this.kernel.accumulate(x, weight.at, y, this.single, this.single + 8, inputs * 4, outputs * 4);
    }
  }

  private table(name: string, inputs: number, outputs: number, weight: string): Table {
    const file = this.model.tensors;
    const { shape, data: read } = file.tensor<Int16Array>(`${name}.read`);
    const plane = file.data<Uint8Array>(`${name}.plane`);
    const relations = file.tensor(weight).shape[1];
    const pairs: number[] = [];
    const starts = new Int32Array(shape[0] + 1);
    for (let site = 0; site < shape[0]; site++) {
      for (let r = 0; r < shape[1]; r++) {
        const neighbour = read[site * shape[1] + r];
        if (neighbour >= 0) pairs.push(neighbour * inputs * 4, (plane[site] * relations + r) * inputs * outputs * 4);
      }
      starts[site + 1] = pairs.length * 4;
    }
    const at = this.list(pairs);
    return { sites: shape[0], starts: starts.map((start) => start + at) };
  }

  private list(pairs: number[]): number {
    const { at } = this.region(pairs.length);
    new Int32Array(this.memory.buffer, at, pairs.length).set(pairs);
    return at;
  }

  private copied(values: Float32Array): Region {
    const region = this.region(values.length);
    region.view.set(values);
    return region;
  }

  private region(size: number): Region {
    const at = this.top;
    this.top += 16 * Math.ceil(size / 4);
    return { at, view: new Float32Array(this.memory.buffer, at, size) };
  }
}

function filled(y: Float32Array, bias: Float32Array, rows: number): void {
  for (let row = 0; row < rows; row++) y.set(bias, row * bias.length);
}

/** Log-odds that one of two things holds and the other does not, from theirs. */
function either(a: number, b: number): number {
  const larger = Math.max(a, b) - Math.max(a + b, 0);
  return larger + Math.log1p(Math.exp(-Math.abs(a - b))) - Math.log1p(Math.exp(-Math.abs(a + b)));
}
