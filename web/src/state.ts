// What the page shows, kept in its address, so that a link shows the same.

/** The last one stands for the model of shots that the reader brings along, see src/cascade_qec/page/own_shots.py. */
export const MODELS = ["surface_d3", "surface_d5", "surface_d7", "bb72", "own"] as const;
export type ModelName = (typeof MODELS)[number];

/** Codes of the stream, a part of the models. */
export const STREAMS = ["surface_d3", "surface_d5"] as const;
export type StreamName = (typeof STREAMS)[number];

/** Rounds that a window decides or looks ahead at most. */
export const WINDOWS = 10;

/** Who gets the shots wrong that are shown. */
export const FAILS = ["rival", "network", "both", "all"] as const;
export type Fails = (typeof FAILS)[number];

const SOURCES = ["live", "recorded"] as const;

const LINES = ["windows", "whole", "true"] as const;

export const VIEWS = ["change", "size", "channel"] as const;
export type View = (typeof VIEWS)[number];

/** Codes whose kernels are shown, see src/cascade_qec/page/kernels.py, and what of a kernel. */
export const BICYCLES = ["bb72", "bb90", "bb108", "bb144", "bb288"] as const;
export const STEPS = ["both", "data", "checks"] as const;

const DRAWN = ["time", "torus"] as const;

export interface State {
  model: ModelName;
  p: number;
  /** What is wrong in the shot; see faults.ts for how each is spelt. */
  faults: string[];
  /** Number of the reader's own shot in which these happen besides; -1 for none. */
  shot: number;
  round: number;
  /** Whether a round of a code on a torus is rolled up, or the shot is drawn in time. */
  drawn: (typeof DRAWN)[number];
  layer: number;
  view: View;
  channel: number;
  /** The kernel: of which check of which code, which step through which of its data qubits, in which block. */
  kernel: (typeof BICYCLES)[number];
  check: number;
  step: (typeof STEPS)[number];
  via: number;
  block: number;
  /** The shots that are browsed: who is wrong, and where they are from. */
  fails: Fails;
  from: (typeof SOURCES)[number];
  /** The stream: its code and noise, its windows, what it is drawn from, how far it has come, and whose errors it shows. */
  stream: StreamName;
  noise: number;
  commit: number;
  buffer: number;
  seed: number;
  arrived: number;
  lines: (typeof LINES)[number];
  /** What is plotted: a code, a noise strength, a model. */
  waterfall: (typeof PLOTS.waterfall)[number];
  distance: (typeof PLOTS.distance)[number];
  cost: (typeof PLOTS.cost)[number];
  sure: (typeof PLOTS.sure)[number];
}

export const PLOTS = {
  waterfall: ["surface_d3", "surface_d5", "surface_d7", "bb72"],
  distance: ["0.002", "0.003", "0.005"],
  cost: ["surface_d3", "surface_d5", "surface_d7", "bb72"],
  sure: ["surface_d3", "surface_d5", "surface_d7", "bb72"],
} as const;

export const START: State = {
  model: "surface_d5",
  p: 0.005,
  faults: ["x7.1", "x12.1", "r15.2"],
  shot: -1,
  round: 1,
  drawn: "time",
  layer: 1,
  view: "change",
  channel: 0,
  kernel: "bb72",
  check: 21,
  step: "both",
  via: 0,
  block: 1,
  fails: "rival",
  from: "live",
  stream: "surface_d5",
  noise: 0.008,
  commit: 5,
  buffer: 5,
  seed: 36,
  arrived: 25,
  lines: "windows",
  waterfall: "surface_d5",
  distance: "0.003",
  cost: "surface_d5",
  sure: "surface_d5",
};

const FAULT = /^(m\d{1,6}|[xzr]\d{1,4}\.\d{1,3})$/;

/** The strengths that the slider has: 0.1 % to 2 %. */
export const STRENGTHS = [0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.015, 0.02];

export function written(state: State): string {
  const parts = Object.entries(state).filter(([name, value]) => String(value) !== String(START[name as keyof State]));
  return parts.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join("+") : value}`).join("&");
}

/** What an address says; whatever it says wrongly is as at the start. */
export function read(text: string): State {
  const parts = text
    .replace(/^#/, "")
    .split("&")
    .map((part) => part.split("=", 2));
  const given = new Map(parts.map(([name, value]) => [name, value ?? ""]));
  const among = <T>(name: string, known: readonly T[], start: T) =>
    known.find((one) => String(one) === given.get(name)) ?? start;
  const whole = (name: string, start: number, most = 999, least = 0) => {
    const value = /^\d{1,10}$/.test(given.get(name) ?? "") ? Number(given.get(name)) : start;
    return value >= least && value <= most ? value : start;
  };
  return {
    model: among("model", MODELS, START.model),
    p: among("p", STRENGTHS, START.p),
    faults: given.has("faults")
      ? given
          .get("faults")!
          .split("+")
          .filter((fault) => FAULT.test(fault))
      : START.faults,
    shot: whole("shot", START.shot, 1e6),
    round: whole("round", START.round),
    drawn: among("drawn", DRAWN, START.drawn),
    layer: whole("layer", START.layer),
    view: among("view", VIEWS, START.view),
    channel: whole("channel", START.channel),
    kernel: among("kernel", BICYCLES, START.kernel),
    check: whole("check", START.check),
    step: among("step", STEPS, START.step),
    via: whole("via", START.via, 5),
    block: whole("block", START.block, 99, 1),
    fails: among("fails", FAILS, START.fails),
    from: among("from", SOURCES, START.from),
    stream: among("stream", STREAMS, START.stream),
    noise: among("noise", STRENGTHS, START.noise),
    commit: whole("commit", START.commit, WINDOWS, 1),
    buffer: whole("buffer", START.buffer, WINDOWS, 1),
    seed: whole("seed", START.seed, 2 ** 32 - 1),
    arrived: whole("arrived", START.arrived),
    lines: among("lines", LINES, START.lines),
    waterfall: among("waterfall", PLOTS.waterfall, START.waterfall),
    distance: among("distance", PLOTS.distance, START.distance),
    cost: among("cost", PLOTS.cost, START.cost),
    sure: among("sure", PLOTS.sure, START.sure),
  };
}

type Listener = (state: State, changed: Set<keyof State>) => void;

/** The state, and who wants to know when it changes. */
export class Store {
  state: State;
  /** Whether the reader has brought shots along. */
  readonly own: boolean;
  private readonly listeners: Listener[] = [];

  constructor() {
    const given = read(location.hash);
    this.own = document.body.dataset.shots !== undefined;
    this.state =
      this.own && !location.hash.includes("model=")
        ? { ...given, model: "own", shot: 0, faults: [], fails: "all" }
        : given;
    addEventListener("hashchange", () => {
      if (location.hash.includes("=") && location.hash !== `#${written(this.state)}`) this.change(read(location.hash));
    });
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  change(part: Partial<State>): void {
    const before = this.state;
    this.state = { ...before, ...part };
    const names = Object.keys(this.state) as (keyof State)[];
    const changed = new Set(names.filter((name) => String(before[name]) !== String(this.state[name])));
    if (!changed.size) return;
    const text = written(this.state);
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
    for (const listener of this.listeners) listener(this.state, changed);
  }
}
