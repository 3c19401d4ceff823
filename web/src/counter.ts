// Thousands of shots: how often each decoder fails. And a search for one that fails in a wanted way.

import type { Decoder } from "./decoder.ts";
import { count, h, many, percent } from "./dom.ts";
import { wilson } from "./statistics.ts";

const SLICE = 120; // milliseconds that the worker counts before it says how far it is
const LONGEST = 60_000; // that one shot is looked for

/** How many of some shots each decoder gets wrong. */
export interface Tally<Found> {
  shots: number;
  failures: number[];
  /** The shot that was looked for, once there is one. */
  found?: Found;
}

/** Asks for shots for some milliseconds; until one fails as wanted, if one is wanted. */
type Ask<Wanted, Found> = (
  decoder: Decoder,
  asked: { seed: number; milliseconds: number; until?: Wanted },
) => Promise<Tally<Found>>;

export class Counter<Wanted, Found> {
  readonly element = h("div", { class: "counter" });
  private readonly open: () => Promise<Decoder>;
  private readonly names: string[];
  private readonly ask: Ask<Wanted, Found>;
  private decoder: Promise<Decoder> | null = null; // started when it is first needed
  private readonly table = h("table", {});
  private readonly start = h("button", { type: "button", onclick: () => this.toggle() }, "Run shots");
  private readonly status = h("p", { class: "muted", role: "status" });
  private tally: Tally<Found>;
  private task = 0; // the last one asked for; older ones end
  private running = false;

  constructor(names: string[], open: () => Promise<Decoder>, ask: Ask<Wanted, Found>) {
    this.names = names;
    this.open = open;
    this.ask = ask;
    this.tally = this.nothing();
    this.element.append(
      h(
        "p",
        {},
        this.start,
        " ",
        h("button", { type: "button", class: "quiet", onclick: () => this.reset() }, "Reset"),
      ),
      this.table,
      this.status,
    );
    this.show();
  }

  reset(): void {
    this.task++;
    this.running = false;
    this.tally = this.nothing();
    this.status.textContent = "";
    this.show();
  }

  close(): void {
    this.task++;
    void this.decoder?.then((decoder) => decoder.close());
  }

  /** The first shot that fails as wanted, or null if there is none for long or something else is asked for meanwhile. */
  async find(until: Wanted, progress: (shots: number) => void): Promise<Found | null> {
    const task = ++this.task;
    const seed = randomSeed();
    this.running = false;
    this.show();
    const decoder = await (this.decoder ??= this.open());
    let shots = 0;
    for (const end = performance.now() + LONGEST; task === this.task && performance.now() < end;) {
      const part = await this.ask(decoder, { seed, milliseconds: SLICE, until });
      progress((shots += part.shots));
      if (part.found !== undefined && task === this.task) return part.found;
    }
    return null;
  }

  private nothing(): Tally<Found> {
    return { shots: 0, failures: this.names.map(() => 0) };
  }

  private async toggle(): Promise<void> {
    this.running = !this.running;
    const task = ++this.task;
    const seed = randomSeed();
    this.show();
    const decoder = await (this.decoder ??= this.open());
    while (this.running && task === this.task) {
      const part = await this.ask(decoder, { seed, milliseconds: SLICE });
      if (task !== this.task) break;
      this.tally.shots += part.shots;
      part.failures.forEach((failures, i) => (this.tally.failures[i] += failures));
      this.show();
    }
    this.status.textContent = `${many(this.tally.shots, "shot")}.`;
  }

  private show(): void {
    this.start.textContent = this.running ? "Stop" : this.tally.shots ? "Go on" : "Run shots";
    const { shots } = this.tally;
    const row = (name: string, failures: number) => {
      const rate = wilson(failures, shots);
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        h("td", {}, `${count(failures)} / ${count(shots)}`),
        h("td", {}, shots ? `${percent(rate.value)}` : "–"),
        h("td", {}, shots ? `${percent(rate.low)} to ${percent(rate.high)}` : "–"),
      );
    };
    this.table.replaceChildren(
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...["Decoder", "Failures / shots", "Block error", "95 % interval"].map((head) =>
            h("th", { scope: "col" }, head),
          ),
        ),
      ),
      h("tbody", {}, ...this.names.map((name, i) => row(name, this.tally.failures[i]))),
    );
  }
}

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
