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
  post_selection: Kept[];
  disagreements: Recorded[];
  commands: Record<"rates" | "confidence" | "disagreements", Record<string, string[]>>;
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
  const { commands, ...tables } = (await answer.json()) as Record<string, Table> & { commands: Tables["commands"] };
  const read = Object.fromEntries(
    Object.entries(tables as Record<string, Table>).map(([name, { columns, rows }]) => [
      name,
      rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value]))),
    ]),
  );
  return { ...read, commands } as unknown as Tables;
}

/** The commands that measured tables, to be unfolded. */
export function made({ commands }: Tables, files: string[]): HTMLElement {
  const all = { ...commands.rates, ...commands.confidence, ...commands.disagreements };
  const used = files.map((file) => `benchmarks/results/${file}`);
  return h(
    "details",
    {},
    h("summary", {}, "The command that measured this"),
    ...used.flatMap((file) => [h("p", { class: "muted" }, `${file}, by`), h("pre", {}, (all[file] ?? []).join("\n"))]),
  );
}
