// This project's own tables, which the page is given as one file.

import { h } from "./dom.ts";

export interface Measured {
  code: string;
  decoder: string;
  own: boolean;
  rounds: number;
  k: number;
  p: number;
  shots: number;
  failures: number;
}

export interface Bin {
  model: string;
  p: number;
  shots: number;
  confidence: number;
  correct: number;
}

/** Median times of calls of a batch; failures are of all shots that were decoded. */
export interface Timed {
  code: string;
  decoder: string;
  own: boolean;
  p: number;
  batch: number;
  microseconds: number;
  shots: number;
  failures: number;
}

export interface Kept {
  model: string;
  by: string;
  own: boolean;
  p: number;
  shots: number;
  accepted: number;
  failures: number;
}

interface Table {
  columns: string[];
  rows: unknown[][];
}

/** A shot that a model and a rival were asked about, with masks of what they said. */
export interface Recorded {
  model: string;
  rival: string;
  p: number;
  shots: number;
  of_kind: number;
  mechanisms: string;
  truth: number;
  network: number;
  rival_says: number;
}

export interface Tables {
  rates: Measured[];
  reliability: Bin[];
  latency: Timed[];
  post_selection: Kept[];
  disagreements: Recorded[];
  /** Measurements that are of older weights, by the names in benchmarks/results.toml. */
  older: string[];
  commands: Record<"rates" | "confidence" | "latency" | "disagreements", Record<string, string[]>>;
}

const NAMES: Record<string, string> = {
  pymatching: "matching",
  "pymatching-correlated": "correlated matching",
  tesseract: "Tesseract",
  "tesseract-long-beam": "Tesseract, long beam",
  bposd: "BP+OSD",
  "bposd-filtered": "BP+OSD, own basis",
  "bposd-cs10-filtered": "BP+OSD (CS 10), own basis",
  "relay-bp": "Relay-BP",
  "relay-bp-filtered": "Relay-BP, own basis",
  "tesseract-filtered": "Tesseract, own basis",
  "bplsd-filtered": "BP+LSD, own basis",
  "pymatching-filtered, gap": "gap of matching",
  "pymatching-correlated-gap, gap": "gap of correlated matching",
  "bplsd-clusters-filtered, cluster LLR": "clusters of BP+LSD, by LLR",
  "bplsd-clusters-filtered, cluster size": "clusters of BP+LSD, by size",
};
export const decoderName = (decoder: string) => NAMES[decoder] ?? decoder;

let asked: Promise<Tables> | null = null;

/** Asked for once. */
export function tables(): Promise<Tables> {
  return (asked ??= fetched());
}

async function fetched(): Promise<Tables> {
  const answer = await fetch(new URL("results.json", document.baseURI));
  if (!answer.ok) throw new Error(`results.json: the server answered ${answer.status}`);
  const { commands, older, ...tables } = (await answer.json()) as Record<string, Table> &
    Pick<Tables, "commands" | "older">;
  const read = Object.fromEntries(
    Object.entries(tables as Record<string, Table>).map(([name, { columns, rows }]) => [
      name,
      rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value]))),
    ]),
  );
  return { ...read, commands, older } as unknown as Tables;
}

/** The commands that measured tables, to be unfolded. */
export function made({ commands }: Tables, files: string[]): HTMLElement {
  const all = Object.assign({}, ...Object.values(commands)) as Record<string, string[]>;
  const used = files.map((file) => `benchmarks/results/${file}`);
  return h(
    "details",
    {},
    h("summary", {}, "The command that measured this"),
    ...used.flatMap((file) => [h("p", { class: "muted" }, `${file}, by`), h("pre", {}, (all[file] ?? []).join("\n"))]),
  );
}

/** Which of some measurements are of older weights, as a sentence. */
export function aged({ older }: Tables, names: string[]): HTMLElement | string {
  const found = names.filter((name) => older.includes(name));
  return found.length ? h("p", { class: "muted" }, `Of earlier weights: ${found.join(", ")}.`) : "";
}
