// Thousands of shots: how often each decoder fails. And a search for one that fails in a wanted way.

import { Decoder } from "./decoder.ts";
import { count, h, percent } from "./dom.ts";
import { wilson } from "./statistics.ts";
import type { Tally, Wanted } from "./worker.ts";

const SLICE = 120; // milliseconds that the worker counts before it says how far it is

export class Counter {
  readonly element = h("div", { class: "counter" });
  private readonly file: ArrayBuffer;
  private decoder: Promise<Decoder> | null = null; // started when it is first needed
  private readonly table = h("table", {});
  private readonly start = h("button", { type: "button", onclick: () => this.toggle() }, "Run shots");
  private readonly status = h("p", { class: "muted", role: "status" });
  private tally: Tally = { shots: 0, network: 0, matching: 0 };
  private task = 0; // the last one asked for; older ones end
  private running = false;
  private p: number;
  private readonly matchable: boolean;

  constructor(file: ArrayBuffer, matchable: boolean, p: number) {
    this.file = file;
    this.matchable = matchable;
    this.p = p;
    this.element.append(
      h(
        "p",
        {},
        this.start,
        " ",
        h("button", { type: "button", class: "quiet", onclick: () => this.reset(this.p) }, "Reset"),
      ),
      this.table,
      this.status,
    );
    this.show();
  }

  reset(p: number): void {
    this.p = p;
    this.task++;
    this.running = false;
    this.tally = { shots: 0, network: 0, matching: 0 };
    this.status.textContent = "";
    this.show();
  }

  close(): void {
    this.task++;
    void this.decoder?.then((decoder) => decoder.close());
  }

  private started(): Promise<Decoder> {
    const start = async () => {
      const decoder = new Decoder();
      await decoder.ask("open", { file: this.file });
      return decoder;
    };
    return (this.decoder ??= start());
  }

  /** The mechanisms of the first shot that fails as wanted, or null if something else is asked for meanwhile. */
  async find(wanted: Wanted, progress: (shots: number) => void): Promise<number[] | null> {
    const task = ++this.task;
    const seed = randomSeed();
    this.running = false;
    this.show();
    const decoder = await this.started();
    let shots = 0;
    while (task === this.task) {
      const part = await decoder.ask("count", { p: this.p, seed, milliseconds: SLICE, until: wanted });
      progress((shots += part.shots));
      if (part.found && task === this.task) return part.found;
    }
    return null;
  }

  private async toggle(): Promise<void> {
    this.running = !this.running;
    const task = ++this.task;
    const seed = randomSeed();
    this.show();
    const decoder = await this.started();
    while (this.running && task === this.task) {
      const part = await decoder.ask("count", { p: this.p, seed, milliseconds: SLICE });
      if (task !== this.task) break;
      for (const name of ["shots", "network", "matching"] as const) this.tally[name] += part[name];
      this.show();
    }
    this.status.textContent = `${count(this.tally.shots)} shots at p = ${percent(this.p)}.`;
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
      h("tbody", {}, row("Network", this.tally.network), this.matchable && row("Matching", this.tally.matching)),
    );
  }
}

export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
