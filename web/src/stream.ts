// A stream: rounds arrive, windows decide, the frame moves on.

import { Counter, randomSeed } from "./counter.ts";
import { Decoder } from "./decoder.ts";
import { byId, choice, h, many, percent, slider, svg, type Slider } from "./dom.ts";
import { Model } from "./model.ts";
import { Scene } from "./scene.ts";
import { STREAMS, STRENGTHS, WINDOWS, type State, type Store, type StreamName } from "./state.ts";
import { row } from "./verdict.ts";
import { History, Windows, rounds, type Decided, type Shot } from "./windows.ts";

const HEIGHT = 300;
const [LEFT, TOP, BOTTOM] = [66, 26, 44];

const TITLES: Record<StreamName, string> = { surface_d3: "d = 3, 30 rounds", surface_d5: "d = 5, 50 rounds" };
const LINES: Record<State["lines"], string> = {
  windows: "windows",
  whole: "whole history",
  true: "what happened",
};

export class Stream {
  private readonly store: Store;
  private readonly fetched: (name: StreamName) => Promise<ArrayBuffer>;
  private opened: { name: StreamName; file: ArrayBuffer; scene: Scene } | null = null;
  private history!: History & { of: string };
  private shot!: Shot & { of: string };
  private decided: Decided[] = [];
  private whole!: ReturnType<History["matched"]>;
  private arrived = 0;
  private playing = 0;
  private counter: Counter<true, number> | null = null;
  private readonly sliders: Record<"noise" | "commit" | "buffer" | "arrived", Slider>;
  private readonly speed = slider("Speed", "speed", 1, 20, (value) => this.paced(value));
  private readonly codes: HTMLFieldSetElement;
  private readonly lines: HTMLFieldSetElement;
  private readonly play = h("button", { type: "button", class: "main", onclick: () => this.toggle() }, "Play");
  private readonly drawing = h("div", { class: "strip", tabindex: 0, role: "group", "aria-label": "The stream" });
  private readonly says = h("div", { class: "says", role: "status" });
  private readonly finding = h(
    "button",
    { type: "button", onclick: () => this.find() },
    "Find a stream that the windows get wrong and the whole history right",
  );
  private readonly searched = h("p", { class: "muted", role: "status" });

  constructor(store: Store, fetched: (name: StreamName) => Promise<ArrayBuffer>) {
    this.store = store;
    this.fetched = fetched;
    const { state } = store;
    const last = STRENGTHS.length - 1;
    this.sliders = {
      noise: slider("Noise p", "noise", 0, last, (value) => store.change({ noise: STRENGTHS[value] })),
      commit: slider("Rounds decided", "commit", 1, WINDOWS, (commit) => store.change({ commit })),
      buffer: slider("Rounds ahead", "buffer", 1, WINDOWS, (buffer) => store.change({ buffer })),
      arrived: slider("Arrived", "arrived", 0, 0, (arrived) => this.to(arrived)),
    };
    this.codes = choice(
      "Surface code",
      STREAMS.map((name) => [name, TITLES[name]]),
      state.stream,
      (stream) => store.change({ stream, arrived: 0 }),
    );
    this.lines = choice("Errors drawn", Object.entries(LINES) as [State["lines"], string][], state.lines, (lines) =>
      store.change({ lines }),
    );
    this.speed.show(4, "4 rounds a second");
    const { noise, commit, buffer, arrived } = this.sliders;
    byId("stream").replaceChildren(
      h("div", { class: "controls" }, this.codes, noise.element, commit.element, buffer.element, this.lines),
      h(
        "div",
        { class: "controls" },
        h(
          "div",
          { class: "actions" },
          this.play,
          h(
            "button",
            { type: "button", "aria-label": "One round back", onclick: () => this.to(this.arrived - 1) },
            "◀",
          ),
          h("button", { type: "button", "aria-label": "One round on", onclick: () => this.to(this.arrived + 1) }, "▶"),
        ),
        arrived.element,
        this.speed.element,
        h("button", { type: "button", class: "quiet", onclick: () => this.begin(randomSeed(), 0) }, "Another stream"),
      ),
      this.drawing,
      this.says,
    );
    store.listen((_, changed) => {
      if ([...changed].some((name) => SHOWN.has(name))) this.update();
    });
    this.update();
  }

  private update(): void {
    this.updated().catch(
      (error: Error) => (this.says.textContent = `The model could not be loaded: ${error.message}.`),
    );
  }

  private async updated(): Promise<void> {
    const { stream, noise, commit, buffer, seed, arrived, lines } = this.store.state;
    if (this.opened?.name !== stream) {
      const file = await this.fetched(stream);
      if (this.store.state.stream !== stream) return;
      this.opened = { name: stream, file, scene: new Scene(new Model(file)) };
    }
    const { model } = this.opened.scene;
    const { sliders } = this;
    const of = [stream, noise].join();
    if (this.history?.of !== of) this.history = Object.assign(History.of(model, noise, rounds(model)), { of });
    const shown = [of, commit, buffer, seed].join();
    if (this.shot?.of !== shown) {
      this.shot = { ...this.history.sample(seed), of: shown };
      this.decided = new Windows(this.history, commit, buffer).decode(this.shot.events);
      this.whole = this.history.matched(this.shot.events);
    }
    this.arrived = Math.min(this.playing ? this.arrived : arrived, this.history.slices);
    sliders.noise.show(STRENGTHS.indexOf(noise), percent(noise));
    sliders.commit.show(commit, String(commit));
    sliders.buffer.show(buffer, String(buffer));
    sliders.arrived.input.max = String(this.history.slices);
    for (const [group, value] of [
      [this.codes, stream],
      [this.lines, lines],
    ] as const)
      for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
    this.count();
    this.draw();
  }

  /** How often windows of this size fail, and the whole history. */
  private count(): void {
    const { file, scene } = this.opened!;
    const { noise: p, commit, buffer } = this.store.state;
    const key = [scene.model.facts.name, p, commit, buffer].join();
    const place = byId("stream-counter");
    if (place.dataset.of === key) return;
    place.dataset.of = key;
    this.counter?.close();
    this.counter = new Counter(
      ["Windows", "Whole history"],
      () => Decoder.opened(file),
      (decoder, asked) => decoder.ask("stream", { ...asked, p, commit, buffer }),
    );
    this.searched.textContent = "";
    this.finding.disabled = false;
    place.replaceChildren(this.counter.element, this.finding, this.searched);
  }

  private async find(): Promise<void> {
    this.finding.disabled = true;
    const told = (shots: number) => (this.searched.textContent = `Looked at ${many(shots, "stream")}.`);
    const seed = await this.counter!.find(true, told);
    this.finding.disabled = false;
    if (seed === null) return;
    this.begin(seed, this.history.slices);
    this.drawing.scrollIntoView({ block: "center" });
  }

  private begin(seed: number, arrived: number): void {
    this.pause();
    this.store.change({ seed, arrived });
  }

  private to(arrived: number): void {
    this.pause();
    this.store.change({ arrived: Math.min(this.history.slices, Math.max(0, arrived)) });
  }

  private toggle(): void {
    if (this.playing) return this.to(this.arrived);
    if (this.arrived >= this.history.slices) this.arrived = 0;
    this.play.textContent = "Pause";
    this.paced(Number(this.speed.input.value));
  }

  /** The address is written when it stops: browsers refuse to write it often. */
  private paced(speed: number): void {
    this.speed.show(speed, many(speed, "round") + " a second");
    if (this.play.textContent !== "Pause") return;
    clearInterval(this.playing);
    this.playing = setInterval(() => {
      this.arrived++;
      if (this.arrived >= this.history.slices) this.to(this.arrived);
      else this.draw();
    }, 1000 / speed);
  }

  private pause(): void {
    clearInterval(this.playing);
    this.playing = 0;
    this.play.textContent = "Play";
  }

  private draw(): void {
    const { history, arrived } = this;
    const name = arrived === history.slices ? "all, and the readout" : `${arrived} of ${history.rounds} rounds`;
    this.sliders.arrived.show(arrived, name);
    const done = this.decided.filter(({ window }) => window.stop <= arrived);
    this.drawing.replaceChildren(this.strip(done));
    const now = this.x(arrived) - this.drawing.clientWidth * 0.75;
    if (now > this.drawing.scrollLeft || this.x(arrived) < this.drawing.scrollLeft) this.drawing.scrollLeft = now;
    this.says.replaceChildren(...this.said(done));
  }

  /** From slice to slice: the shorter stream fits on a wide screen, and the longer one nearly. */
  private get step(): number {
    return this.history.slices > 40 ? 22 : 34;
  }

  private x(slice: number): number {
    return LEFT + slice * this.step;
  }

  private strip(done: Decided[]): SVGElement {
    const { history, arrived } = this;
    const { checks, slices } = history;
    const last = done[done.length - 1];
    const committed = last?.window.commit ?? 0;
    const width = this.x(slices) + 10;
    const [top, bottom] = [TOP + 4, HEIGHT - BOTTOM];
    const left = this.shot.events.slice();
    for (const { decided } of done) for (const edge of decided) history.flip(left, edge);
    const rect = (from: number, to: number, name: string) =>
      to > from &&
      svg("rect", { class: name, x: this.x(from), y: top, width: (to - from) * this.step, height: bottom - top });
    const drawing = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
    drawing.append(
      ...[
        rect(0, last?.window.first ?? 0, "past"),
        last && rect(last.window.first, last.window.commit, "commit"),
        last && rect(last.window.commit, last.window.stop, "ahead"),
        rect(arrived, slices, "future"),
      ].filter((one) => one instanceof SVGElement),
      svg("path", {
        class: "edges",
        d: `M${this.x(0)} ${top}H${this.x(slices)}M${this.x(0)} ${bottom}H${this.x(slices)}`,
      }),
      words(LEFT - 8, top + 4, "one side", "end"),
      words(LEFT - 8, bottom + 4, "the other", "end"),
      words(LEFT - 8, HEIGHT - 16, "frame", "end"),
      words(LEFT - 8, (top + bottom) / 2 + 4, "read out", "end"),
      svg("path", { class: "middle", d: `M${this.x(0)} ${(top + bottom) / 2}H${this.x(slices)}` }),
    );
    for (let t = 0; t < slices; t += 5)
      drawing.append(
        words(
          this.x(t) + this.step / 2,
          TOP - 10,
          t === history.rounds ? "end" : t ? String(t + 1) : "round 1",
          "middle",
        ),
      );
    for (let node = 0; node < slices * checks; node++) {
      const [x, y] = this.at(node);
      drawing.append(svg("circle", { class: "spot", cx: x, cy: y, r: 1.6 }));
    }
    drawing.append(...this.errors(done));
    const seam = new Set(last?.seam);
    for (let node = 0; node < arrived * checks; node++) {
      const [x, y] = this.at(node);
      const state = left[node]
        ? this.shot.events[node]
          ? "event"
          : "event made"
        : this.shot.events[node]
          ? "gone"
          : "";
      if (state) drawing.append(svg("path", { class: state, d: `M${x} ${y - 6}l6 6l-6 6l-6 -6Z` }));
      if (seam.has(node)) drawing.append(svg("circle", { class: "crossed", cx: x, cy: y, r: 9.5 }));
    }
    for (const { window, frame } of done) {
      const [from, to] = [this.x(window.first), this.x(window.commit)];
      drawing.append(
        svg("rect", {
          class: frame ? "frame odd" : "frame",
          x: from + 1,
          y: HEIGHT - 32,
          width: to - from - 2,
          height: 22,
          rx: 4,
        }),
        words((from + to) / 2, HEIGHT - 16, frame ? "flip" : "–", "middle"),
      );
    }
    if (committed && committed < slices)
      drawing.append(svg("path", { class: "seam", d: `M${this.x(committed)} ${top - 6}V${bottom + 6}` }));
    return drawing;
  }

  private errors(done: Decided[]): SVGElement[] {
    const { history, arrived } = this;
    const { lines } = this.store.state;
    const seen = (edge: number) => history.begin[edge] < arrived;
    const line = (name: string) => (edge: number) => svg("path", { class: name, d: this.way(edge) });
    if (lines === "true") return this.shot.errors.filter(seen).map(line("happened"));
    if (lines === "whole") return this.whole.errors.filter(seen).map(line("decided"));
    return [
      ...done.flatMap(({ decided }) => decided).map(line("decided")),
      ...(done[done.length - 1]?.tentative ?? []).map(line("tentative")),
    ];
  }

  /** From a check to another, or to the side of the code that is near. */
  private way(edge: number): string {
    const [u, v] = [...this.history.edges[edge].ends].sort((a, b) => a - b);
    const [x, y] = this.at(u);
    if (v < this.history.slices * this.history.checks) return `M${x} ${y}L${this.at(v).join(" ")}`;
    return `M${x} ${y}V${y < (TOP + HEIGHT - BOTTOM) / 2 ? TOP + 4 : HEIGHT - BOTTOM}`;
  }

  /** Where a node is drawn: time goes to the right, and the code is seen along the line that nothing may cross. */
  private at(node: number): [number, number] {
    const { scene } = this.opened!;
    const { facts, xChecks } = scene.model;
    const { checks } = this.history;
    const place = scene.at[scene.n + (node % checks) + (facts.basis === "X" ? 0 : xChecks)];
    const [across, along] = facts.basis === "Z" ? [place[1], place[0]] : place;
    const unit = (HEIGHT - TOP - BOTTOM - 4) / facts.code.d;
    const y = (TOP + 4 + HEIGHT - BOTTOM) / 2 + unit * (across + (0.6 * along) / facts.code.d);
    return [this.x(this.history.slice(node)) + this.step / 2, y];
  }

  private said(done: Decided[]): HTMLElement[] {
    const { history, arrived, shot, whole } = this;
    const flipped = (mask: number) => (mask ? "flipped" : "not flipped");
    const last = done[done.length - 1];
    if (!last) return [h("p", {}, "No window has all its rounds yet. The frame is not flipped.")];
    if (arrived === history.slices) {
      const judged = (name: string, mask: number) => row(name, flipped(mask), mask === shot.observables);
      return [
        row("True", flipped(shot.observables), null),
        judged("Windows", last.frame),
        judged("Whole", whole.observables),
      ];
    }
    const { commit } = last.window;
    const seam = last.seam.length
      ? `Decided errors cross the seam behind it, and flip ${many(last.seam.length, "check")} of the next round: ` +
        "the next window has to explain what they leave."
      : "No decided error crosses the seam behind it.";
    return [
      h(
        "p",
        {},
        `${many(done.length, "window")} decided ${many(commit, "round")}: the frame is ${flipped(last.frame)}. ${seam}`,
      ),
    ];
  }
}

const SHOWN = new Set<keyof State>(["stream", "noise", "commit", "buffer", "seed", "arrived", "lines"]);

function words(x: number, y: number, text: string, anchor: string): SVGElement {
  return svg("text", { x, y, "text-anchor": anchor }, text);
}
