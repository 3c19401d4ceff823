// What decoding buys: plots of this project's own tables.

import { MARKERS, chart, decades, type Chart, type Point, type Series } from "./chart.ts";
import { byId, choice, count, percent, power } from "./dom.ts";
import { PLOTS, type State, type Store } from "./state.ts";
import { wilson, type Rate } from "./statistics.ts";
import { aged, decoderName, made, tables, type Measured, type Tables, type Timed } from "./tables.ts";

/** One look in all plots; where two would be alike in one, the second takes a free one. */
const LOOKS: Record<string, number> = {
  surface_d3: 5,
  surface_d5: 0,
  surface_d7: 2,
  "networks, one for each d": 0,
  local_surface: 1,
  bb72: 1,
  local_bb72: 0,
  pymatching: 6,
  "pymatching-filtered, gap": 6,
  "pymatching-correlated": 3,
  "pymatching-correlated-gap, gap": 3,
  tesseract: 4,
  "tesseract-long-beam": 7,
  bposd: 2,
  "bposd-filtered": 3,
  "relay-bp-filtered": 4,
  "tesseract-filtered": 5,
  "bplsd-filtered": 6,
  "bposd-cs10-filtered": 7,
  "bplsd-clusters-filtered, cluster LLR": 4,
  "bplsd-clusters-filtered, cluster size": 7,
};
export async function results(store: Store): Promise<void> {
  const data = await tables();
  const hidden = {
    waterfall: new Set<string>(),
    distance: new Set<string>(),
    cost: new Set<string>(),
    reliability: new Set<string>(),
    selection: new Set<string>(),
  };
  const draw = () => {
    const { state } = store;
    const redraw = (id: string, of: (state: State) => (HTMLElement | string)[]) =>
      byId(id).replaceChildren(...of(state));
    const shown = (id: keyof typeof hidden, one: Chart, files: string[]) => [chart(one, hidden[id]), made(data, files)];
    redraw("waterfall", ({ waterfall }) => [
      choice(
        "Code",
        PLOTS.waterfall.map((code) => [code, code]),
        waterfall,
        (code) => store.change({ waterfall: code }),
      ),
      ...shown("waterfall", waterfallOf(data, waterfall), [
        `${waterfall}.csv`,
        waterfall === "bb72" ? "local_bb72.csv" : "local_surface.csv",
      ]),
    ]);
    redraw("distance", ({ distance }) => [
      choice(
        "Noise",
        PLOTS.distance.map((p) => [p, `p = ${percent(Number(p))}`]),
        distance,
        (p) => store.change({ distance: p }),
      ),
      ...shown("distance", distanceOf(data, Number(distance)), [
        "surface_d3.csv",
        "surface_d5.csv",
        "surface_d7.csv",
        "local_surface.csv",
      ]),
    ]);
    redraw("cost", ({ cost }) => [
      choice(
        "Code",
        PLOTS.cost.map((code) => [code, code]),
        cost,
        (code) => store.change({ cost: code }),
      ),
      ...shown("cost", costOf(data, cost), ["latency_cpu.csv", `${cost}.csv`]),
      aged(data, ["latency"]),
    ]);
    redraw("reliability", () => [
      ...shown(
        "reliability",
        reliabilityOf(data),
        PLOTS.sure.map((model) => `confidence/${model}`),
      ),
      aged(
        data,
        PLOTS.sure.map((model) => `reliability of ${model}`),
      ),
    ]);
    redraw("selection", ({ sure }) => [
      choice(
        "Model",
        PLOTS.sure.map((model) => [model, model]),
        sure,
        (model) => store.change({ sure: model }),
      ),
      ...shown("selection", selectionOf(data, sure), [`confidence/${sure}`]),
      aged(data, [`reliability of ${sure}`]),
    ]);
  };
  draw();
  store.listen((_, changed) => {
    if (["waterfall", "distance", "cost", "sure"].some((name) => changed.has(name as keyof State))) keepingFocus(draw);
  });
}

/** Redraw, and leave the focus where it was, in whatever has taken the place of what had it. */
function keepingFocus(draw: () => void): void {
  const before = document.activeElement as HTMLInputElement | null;
  const section = before?.closest<HTMLElement>("[id]")?.id;
  const value = before?.value;
  draw();
  if (section && value) document.querySelector<HTMLInputElement>(`#${section} input[value="${value}"]`)?.focus();
}

function waterfallOf({ rates }: Tables, code: string): Chart {
  const rows = rates.filter((row) => row.code === code);
  return {
    title: `Block error of ${code} against the strength of the noise`,
    joined: true,
    series: grouped(
      rows,
      (row) => row.decoder,
      (row) => ({ x: row.p, y: wilson(row.failures, row.shots), says: counted(row, wilson(row.failures, row.shots)) }),
    ),
    x: {
      label: "strength of the noise p",
      range: [0.0009, 0.0066],
      log: true,
      ticks: [0.001, 0.002, 0.003, 0.004, 0.006],
      format: percent,
    },
    y: { ...logarithmic(rows.map((row) => wilson(row.failures, row.shots))), label: "block error" },
  };
}

function distanceOf({ rates }: Tables, p: number): Chart {
  const rows = rates.filter((row) => row.p === p && row.code.startsWith("surface"));
  // models of one distance each are one decoder here
  const name = (row: Measured) =>
    row.own && row.decoder.startsWith("surface") ? "networks, one for each d" : row.decoder;
  const rate = (row: Measured) => {
    const cycle = (value: number) => perCycle(value, row.k, row.rounds);
    const { value, low, high } = wilson(row.failures, row.shots);
    return { value: cycle(value), low: cycle(low), high: cycle(high) };
  };
  return {
    title: `Logical error rate per cycle against the distance at p = ${percent(p)}`,
    joined: true,
    // who was measured at one distance alone has nothing to say here
    series: grouped(rows, name, (row) => ({
      x: Number(row.code.replace("surface_d", "")),
      y: rate(row),
      says: `d = ${row.code.replace("surface_d", "")}, ${counted(row, rate(row))} per cycle`,
    })).filter(({ points }) => points.length > 1),
    x: { label: "distance d", range: [2.5, 9.5], log: false, ticks: [3, 5, 7, 9], format: String },
    y: { ...logarithmic(rows.map(rate)), label: "logical error rate per cycle" },
  };
}

function costOf({ latency, rates }: Tables, code: string): Chart {
  const rows = latency.filter((row) => row.code === code);
  /** Failures where most shots were counted, which for few decoders is where times were taken. */
  const failures = ({ decoder, p, failures, shots }: Timed) =>
    rates
      .filter((row) => row.code === code && row.decoder === decoder && row.p === p)
      .reduce((most, row) => (row.shots > most.shots ? row : most), { p, failures, shots });
  const errors = rows.map((row) => failures(row)).map((row) => wilson(row.failures, row.shots));
  const times = rows.map(({ microseconds }) => microseconds);
  const range: [number, number] = [
    10 ** Math.floor(Math.log10(Math.min(...times))),
    10 ** Math.ceil(Math.log10(Math.max(...times))),
  ];
  const calls = (batch: number) => (batch === 1 ? "single shots" : `batches of ${count(batch)}`);
  return {
    title: `Block error of ${code} at p = ${percent(rows[0].p)} against the time for a shot`,
    joined: true,
    series: grouped(
      rows,
      (row) => row.decoder,
      (row) => {
        const most = failures(row);
        const rate = wilson(most.failures, most.shots);
        return {
          x: row.microseconds,
          y: rate,
          says: `${calls(row.batch)}, ${Number(row.microseconds.toPrecision(3))} µs a shot; ${counted(most, rate)}`,
        };
      },
    ),
    x: { label: "median µs for a shot", range, log: true, ticks: decades(range), format: short },
    y: { ...logarithmic(errors), label: "block error" },
  };
}

function reliabilityOf({ reliability }: Tables): Chart {
  const range: [number, number] = [1e-5, 1]; // below, no shots suffice to tell
  const rows = reliability.filter((row) => row.p === 0.005 && row.shots >= 20 && 1 - row.confidence >= range[0]);
  return {
    title: "Failures that came, against failures that the networks expected, at p = 0.5 %",
    joined: false,
    diagonal: true,
    series: grouped(
      rows,
      (row) => row.model,
      (row) => {
        const failed = row.shots - row.correct;
        const rate = wilson(failed, row.shots);
        return {
          x: 1 - row.confidence,
          y: rate,
          says:
            `expected ${shown(1 - row.confidence)} failures a shot, ` +
            `had ${count(failed)} in ${count(row.shots)}: ${interval(rate)}`,
        };
      },
    ),
    x: { label: "failures expected, by the networks", range, log: true, ticks: decades(range), format: shown },
    y: { label: "failures that came", range, log: true, ticks: decades(range), format: shown },
  };
}

function selectionOf({ post_selection }: Tables, model: string): Chart {
  const rows = post_selection.filter((row) => row.p === 0.005 && row.model === model && row.accepted > 0);
  return {
    title: `Block error of the shots that are kept, ${model} at p = 0.5 %`,
    joined: true,
    series: grouped(
      rows,
      (row) => row.by,
      (row) => {
        const rate = wilson(row.failures, row.accepted);
        return {
          x: 1 - row.accepted / row.shots,
          y: rate,
          says:
            `${percent(1 - row.accepted / row.shots)} discarded, ` +
            `${count(row.failures)} of the other ${count(row.accepted)} fail: ${interval(rate)}`,
        };
      },
    ),
    x: {
      label: "share of shots that is discarded",
      range: [0, 0.5],
      log: false,
      ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
      format: percent,
    },
    y: { ...logarithmic(rows.map((row) => wilson(row.failures, row.accepted))), label: "block error of the rest" },
  };
}

/** Rows of decoders that have a look, by what they are of, in order of x; what was measured several times is as where most shots were. */
function grouped<Row extends { shots: number; own?: boolean }>(
  rows: Row[],
  of: (row: Row) => string,
  point: (row: Row) => Point,
): Series[] {
  const found = new Map<string, Series>();
  for (const row of rows.filter((row) => of(row) in LOOKS).sort((a, b) => b.shots - a.shots)) {
    const series = found.get(of(row)) ?? {
      name: decoderName(of(row)),
      look: LOOKS[of(row)],
      own: row.own ?? true,
      points: [],
    };
    const one = point(row);
    if (!series.points.some((other) => other.x === one.x)) series.points.push(one);
    found.set(of(row), series);
  }
  for (const series of found.values()) series.points.sort((a, b) => a.x - b.x);
  const sorted = [...found.values()].sort((a, b) => Number(b.own) - Number(a.own) || a.look - b.look);
  const taken = new Set<number>();
  for (const series of sorted) {
    if (taken.has(series.look)) series.look = MARKERS.findIndex((_, look) => !taken.has(look));
    taken.add(series.look);
  }
  return sorted;
}

function logarithmic(rates: Rate[]): Pick<Chart["y"], "range" | "log" | "ticks" | "format"> {
  const low = 10 ** Math.floor(Math.log10(Math.min(...rates.map((rate) => rate.value || rate.high))));
  const high = Math.max(...rates.map((rate) => rate.high)) * 1.2;
  return { range: [low, high], log: true, ticks: decades([low, high]), format: shown };
}

/** As src/cascade_qec/statistics.py has it. */
function perCycle(block: number, k: number, rounds: number): number {
  const each = 1 - (1 - block) ** (1 / k);
  return each >= 0.5 ? 0.5 : (1 - (1 - 2 * each) ** (1 / rounds)) / 2;
}

function counted(row: { p: number; failures: number; shots: number }, rate: Rate): string {
  return `p = ${percent(row.p)}, ${count(row.failures)} failures in ${count(row.shots)} shots: ${interval(rate)}`;
}

/** Large powers of ten as such, where labels are close. */
function short(x: number): string {
  return x < 1000 ? shown(x) : power(x).replace(/^1\.0·/, "");
}

function interval({ value, low, high }: Rate): string {
  return `${shown(value)} (${shown(low)} to ${shown(high)})`;
}

function shown(x: number): string {
  return x === 0 || x >= 0.01 ? String(Number(x.toPrecision(2))) : power(x).replace(/^1\.0·/, "");
}
