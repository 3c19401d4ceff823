// Shots that one decoder gets right and another wrong, to be browsed and opened above.

import type { Counter } from "./counter.ts";
import type { Decoder } from "./decoder.ts";
import { sigmoid } from "./decision.ts";
import { byId, choice, count, h, many, percent, probability, svg } from "./dom.ts";
import { cell, map } from "./lattice.ts";
import type { Scene, Shot } from "./scene.ts";
import type { Fails, State, Store } from "./state.ts";
import { decoderName, made, tables, type Recorded, type Tables } from "./tables.ts";
import type { Wanted } from "./worker.ts";

const AT_ONCE = 6; // shots that are looked for
const PAGE = 24; // shots that are shown at first

type From = State["from"] | "own";

/** A shot that was decoded. */
interface Example {
  /** What opens it: the faults that happened, or the number of one of the reader's own shots. */
  opening: Pick<State, "faults" | "shot" | "p">;
  shot: Shot;
  network: { observables: number; logOdds: number };
  rival: number | null; // what it said
}

export class Explorer {
  private readonly scene: Scene;
  private readonly store: Store;
  private readonly decoder: Decoder;
  private readonly counter: Counter<Wanted, number[]>;
  private tables: Tables | null = null;
  private recorded: Recorded[] = [];
  private examples: Example[] = [];
  private key = ""; // of what the examples are
  private run = 0; // that decodes them; older ones end
  private shown = PAGE;
  private readonly controls = h("div", { class: "controls" });
  private readonly about = h("p", {});
  private readonly status = h("p", { class: "muted", role: "status" });
  private readonly cards = h("div", { class: "cards" });
  private readonly source = h("div", {});

  constructor(scene: Scene, store: Store, decoder: Decoder, counter: Counter<Wanted, number[]>) {
    [this.scene, this.store, this.decoder, this.counter] = [scene, store, decoder, counter];
    byId("failures").replaceChildren(this.controls, this.about, this.cards, this.status, this.source);
    tables().then(
      (known) => {
        this.tables = known;
        this.recorded = known.disagreements.filter((row) => row.model === scene.model.facts.name && !this.own);
        if (this.from(store.state) === "recorded") this.key = ""; // now there are some
        this.update(store.state);
      },
      () => undefined, // the plots tell of it
    );
  }

  /** What a rival said of the shot that is shown, if that was recorded. */
  recordedAt({ faults, shot }: State): Recorded | null {
    const mechanisms = faults.map((fault) => fault.replace(/^m/, "")).join(" ");
    return (shot < 0 && this.recorded.find((row) => row.mechanisms === mechanisms)) || null;
  }

  update(state: State): void {
    const from = this.from(state);
    const fails = this.kinds(from).includes(state.fails) ? state.fails : this.kinds(from)[0];
    const key = [from, from === "own" ? "" : fails, from === "recorded" ? "" : state.p].join();
    if (key !== this.key) {
      this.key = key;
      this.run++;
      this.examples = [];
      this.shown = PAGE;
      this.status.textContent = "";
      if (from === "recorded") void this.judgeRecorded(fails);
      if (from === "own") void this.judgeOwn(state.p);
    }
    this.choices(from, fails);
    this.show(from, fails);
  }

  private get own(): boolean {
    return this.scene.model.ownShots > 0;
  }

  private from(state: State): From {
    if (this.own) return "own";
    return this.scene.model.facts.code.matchable ? state.from : "recorded";
  }

  private kinds(from: From): Fails[] {
    if (from !== "own") return ["rival", "network", "both"];
    const judged = this.scene.model.ownShot(0).observables !== null;
    const rival: Fails[] = this.scene.model.facts.code.matchable ? ["rival", "both"] : [];
    return judged ? ["all", "network", ...rival] : ["all"];
  }

  private rival(from: From): string {
    return from === "recorded" && this.recorded.length ? short(this.recorded[0].rival) : "matching";
  }

  private choices(from: From, fails: Fails): void {
    const rival = this.rival(from);
    const titles: Record<Fails, string> = {
      all: "all shots",
      rival: `${rival} alone`,
      network: this.kinds(from).includes("rival") ? "the network alone" : "the network",
      both: "both",
    };
    const key = [from, rival].join();
    if (this.controls.dataset.of !== key) {
      const focused = this.controls.contains(document.activeElement);
      this.controls.replaceChildren(...this.chosen(from, titles));
      if (focused) this.controls.querySelector<HTMLElement>(`input[value=${from}]`)?.focus();
    }
    this.controls.dataset.of = key;
    for (const input of this.controls.querySelectorAll("input"))
      input.checked = input.value === fails || input.value === from;
  }

  private chosen(from: From, titles: Record<Fails, string>): (HTMLElement | string)[] {
    const kinds = this.kinds(from);
    return [
      choice(
        "Who is wrong",
        kinds.map((kind) => [kind, titles[kind]]),
        kinds[0],
        (kind) => this.store.change({ fails: kind }),
      ),
      from === "own" || !this.scene.model.facts.code.matchable
        ? ""
        : choice(
            "Shots",
            [
              ["live", "found here"],
              ["recorded", "recorded"],
            ],
            from,
            (source) => this.store.change({ from: source as State["from"] }),
          ),
      from === "live"
        ? h("button", { type: "button", class: "main", onclick: () => this.find() }, `Find ${AT_ONCE}`)
        : "",
    ];
  }

  private show(from: From, fails: Fails): void {
    const chosen = this.examples.filter((example) => fails === "all" || this.kind(example) === fails);
    const row = this.recorded.find((one) => kindOf(one.network, one.rival_says, one.truth) === fails);
    this.about.textContent =
      from === "live"
        ? "Shots are drawn from the noise above until some fail in this way. Choose one to open it above."
        : from === "recorded"
          ? row
            ? `${count(row.of_kind)} of ${count(row.shots)} shots at p = ${percent(row.p)} were of this kind when they ` +
              `were recorded, and these are the first. What the rival says (${decoderName(row.rival)}) was written ` +
              "down; the network decodes them here and now."
            : "None were recorded."
          : this.aboutOwn(chosen.length);
    this.cards.replaceChildren(...chosen.slice(0, this.shown).map((example) => this.card(example, from)));
    if (chosen.length > this.shown)
      this.cards.append(
        h("button", { type: "button", onclick: () => ((this.shown += PAGE), this.show(from, fails)) }, "Show more"),
      );
    this.source.replaceChildren(
      ...(from === "recorded" && this.tables ? [made(this.tables, ["disagreements.csv"])] : []),
    );
  }

  private aboutOwn(chosen: number): string {
    const { shots, code } = this.scene.model.facts;
    const read = this.scene.model.ownShots;
    const some = read < shots!.total ? `the first ${count(read)} of ${count(shots!.total)} shots` : many(read, "shot");
    return (
      `${count(chosen)} of ${some} in ${shots!.file}, of ${shots!.circuit}.` +
      (code.matchable ? " Matching takes the noise to be uniform, of the strength chosen above." : "")
    );
  }

  private kind({ network, rival, shot }: Example): Fails | null {
    return shot.observables === null ? null : kindOf(network.observables, rival ?? shot.observables, shot.observables);
  }

  private card({ opening, shot, network, rival }: Example, from: From): HTMLElement {
    const { scene } = this;
    const events = shot.events.reduce((sum, event) => sum + event, 0);
    const judged = (who: string, said: number) =>
      shot.observables === null
        ? ""
        : h(
            "span",
            { class: said === shot.observables ? "right" : "wrong" },
            `${said === shot.observables ? "✓" : "✗"} ${who}`,
          );
    const open = () => {
      this.store.change({ ...opening, round: opening.shot < 0 ? scene.firstRound(opening.faults) : 0 });
      byId("play-title").scrollIntoView();
      byId("play-title").focus({ preventScroll: true });
    };
    const what = opening.shot < 0 ? many(opening.faults.length, "fault") : `shot ${opening.shot}`;
    return h(
      "button",
      { type: "button", class: "card", onclick: open },
      map(scene, `${what}, ${many(events, "event")}`, this.summed(shot)),
      judged("network", network.observables),
      rival === null ? "" : judged(this.rival(from), rival),
      h("span", { class: "muted" }, `network ${probability(sigmoid(network.logOdds))} sure`),
    );
  }

  /** How many events each check has over all rounds. */
  private summed({ events }: Shot): SVGElement[] {
    const { model } = this.scene;
    const sums = new Array<number>(model.checks).fill(0);
    events.forEach((event, detector) => (sums[model.detectorCheck[detector]] += event));
    return sums.map((sum, check) =>
      svg("path", {
        d: cell(this.scene, check),
        class: "cell empty",
        fill: sum ? "var(--event)" : "none",
        "fill-opacity": Math.min(1, 0.25 + 0.25 * sum),
      }),
    );
  }

  private async find(): Promise<void> {
    const run = ++this.run;
    const { p, fails } = this.store.state;
    const until: Wanted = fails === "all" ? "rival" : fails;
    for (let i = 0, seen = 0; i < AT_ONCE; i++) {
      let now = 0;
      const told = (shots: number) => {
        now = shots;
        this.status.textContent = `Looked at ${many(seen + shots, "shot")}.`;
      };
      const found = await this.counter.find(until, told);
      if (!found || run !== this.run) return;
      seen += now;
      await this.add({ faults: found.map((mechanism) => `m${mechanism}`), shot: -1, p }, null, run);
    }
  }

  private async judgeRecorded(fails: Fails): Promise<void> {
    const { run } = this;
    for (const { network, rival_says, truth, mechanisms, p } of this.recorded) {
      if (kindOf(network, rival_says, truth) !== fails) continue;
      const faults = mechanisms.split(" ").map((mechanism) => `m${mechanism}`);
      if (!(await this.add({ faults, shot: -1, p }, rival_says, run))) return;
    }
  }

  private async judgeOwn(p: number): Promise<void> {
    const { run } = this;
    for (let shot = 0; shot < this.scene.model.ownShots; shot++)
      if (!(await this.add({ faults: [], shot, p }, null, run))) return;
  }

  /** Decode a shot and show it; false if others are shown meanwhile. */
  private async add(opening: Example["opening"], said: number | null, run: number): Promise<boolean> {
    const shot = this.scene.shot(opening.faults, opening.shot);
    const { observables, logOdds, matched } = await this.decoder.ask("decode", { events: shot.events, p: opening.p });
    if (run !== this.run) return false;
    const rival = said ?? matched?.observables ?? null;
    this.examples.push({ opening, shot, network: { observables, logOdds }, rival });
    const { ownShots } = this.scene.model;
    if (ownShots)
      this.status.textContent =
        this.examples.length < ownShots ? `Decoded ${count(this.examples.length)} of ${count(ownShots)} shots.` : "";
    if (this.examples.length <= PAGE || this.examples.length % 100 === 0 || this.examples.length === ownShots)
      this.update(this.store.state);
    return true;
  }
}

function short(decoder: string): string {
  return decoderName(decoder).split(",")[0];
}

function kindOf(network: number, rival: number, truth: number): Fails | null {
  if (network === truth) return rival === truth ? null : "rival";
  return rival === truth ? "network" : "both";
}
