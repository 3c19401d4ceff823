// Put errors into the code, or have noise do it, and see what the network makes of it.

import { randomSeed, type Counter } from "./counter.ts";
import { byId, choice, h, many, percent, slider, type Slider } from "./dom.ts";
import { toggled } from "./faults.ts";
import { Noise } from "./noise.ts";
import { Random } from "./random.ts";
import type { Scene, Shot } from "./scene.ts";
import { Sheet } from "./sheet.ts";
import { Space } from "./space.ts";
import { MODELS, STRENGTHS, type State, type Store } from "./state.ts";
import { decoderName, type Recorded } from "./tables.ts";
import { spoken, verdict } from "./verdict.ts";
import type { Decoded, Wanted } from "./worker.ts";

const TITLES: Record<(typeof MODELS)[number], string> = {
  surface_d3: "Surface code, d = 3",
  surface_d5: "d = 5",
  surface_d7: "d = 7",
  bb72: "Bicycle code bb72",
  own: "Your shots",
};

/** What does not depend on the model: choices of model, strength and letter. */
export class Controls {
  letter: "X" | "Y" | "Z" = "X";
  private readonly strength;

  constructor(store: Store) {
    byId("models").replaceChildren(
      choice(
        "Code",
        MODELS.filter((model) => model !== "own" || store.own).map((model) => [model, TITLES[model]]),
        store.state.model,
        (model) => store.change({ model, faults: [], round: 1, shot: model === "own" ? 0 : -1 }),
      ),
    );
    byId("letters").replaceChildren(
      choice(
        "A click on a data qubit puts",
        [
          ["X", "X"],
          ["Y", "Y"],
          ["Z", "Z"],
        ],
        "X",
        (letter) => (this.letter = letter),
      ),
    );
    this.strength = slider("Noise p", "strength", 0, STRENGTHS.length - 1, (at) => store.change({ p: STRENGTHS[at] }));
    byId("strengths").replaceChildren(this.strength.element);
    this.update(store.state);
    store.listen((state) => this.update(state));
  }

  private update({ p, model }: State): void {
    this.strength.show(STRENGTHS.indexOf(p), percent(p));
    const radio = byId("models").querySelector<HTMLInputElement>(`input[value=${model}]`);
    if (radio) radio.checked = true;
  }
}

/** The drawings of one model's shot. */
export class Play {
  private readonly scene: Scene;
  private readonly store: Store;
  private readonly space: Space;
  private readonly drawn: HTMLFieldSetElement | null;
  private readonly sheet: Sheet;
  private readonly counter: Counter<Wanted, number[]>;
  private readonly round = h("input", { type: "range", id: "round", min: 0, step: 1 });
  private readonly roundSays = h("output", { for: "round" });
  private readonly own: Slider | null;
  private matched: Decoded["matched"] = null;
  private readonly finding = h("button", { type: "button" });
  private readonly status = h("p", { class: "muted", role: "status" });

  constructor(scene: Scene, counter: Counter<Wanted, number[]>, store: Store, controls: Controls) {
    const { rounds, code } = scene.model.facts;
    this.scene = scene;
    this.store = store;
    const put = (round: number, qubit: number) => {
      const faults = scene.putting(round, qubit, controls.letter).reduce(toggled, store.state.faults);
      store.change({ faults, round });
    };
    const step = (by: number) => store.change({ round: Math.min(rounds, Math.max(0, store.state.round + by)) });
    this.space = new Space(scene, put, step);
    this.sheet = new Sheet(scene, (qubit) => put(Math.min(store.state.round, rounds), qubit));
    this.counter = counter;
    this.round.max = String(rounds);
    this.round.addEventListener("input", () => store.change({ round: Number(this.round.value) }));
    this.drawn =
      scene.model.facts.period &&
      choice(
        "Drawn",
        [
          ["time", "in time"],
          ["torus", "on the torus"],
        ],
        store.state.drawn,
        (drawn) => store.change({ drawn }),
      );
    byId("space").replaceChildren(...(this.drawn ? [this.drawn] : []), this.space.element);
    byId("sheet").replaceChildren(
      h(
        "div",
        { class: "rounds" },
        h("label", { for: "round" }, "Round"),
        h("button", { type: "button", "aria-label": "Earlier round", onclick: () => step(-1) }, "◀"),
        this.round,
        h("button", { type: "button", "aria-label": "Later round", onclick: () => step(1) }, "▶"),
        this.roundSays,
      ),
      this.sheet.element,
    );
    byId("counter").replaceChildren(this.counter.element);
    const last = scene.model.ownShots - 1;
    this.own = last < 0 ? null : slider("Your shot", "own", 0, last, (shot) => store.change({ shot, faults: [] }));
    const wanted: Wanted = code.matchable ? "rival" : "network";
    this.finding.textContent = code.matchable
      ? "Find a shot that matching gets wrong and the network right"
      : "Find a shot that the network gets wrong";
    this.finding.addEventListener("click", () => this.find(wanted));
    byId("actions").replaceChildren(
      this.own?.element ?? "",
      h("button", { type: "button", class: "main", onclick: () => this.sample() }, "Sample noise"),
      this.finding,
      h("button", { type: "button", class: "quiet", onclick: () => store.change({ faults: [], shot: -1 }) }, "Clear"),
      this.status,
    );
  }

  /** What does not wait for the network. */
  update(shot: Shot, state: State, changed: Set<keyof State>): void {
    const { rounds } = this.scene.model.facts;
    this.round.value = String(state.round);
    const name = state.round === rounds ? "readout" : `${state.round + 1} of ${rounds}`;
    this.roundSays.textContent = name;
    this.round.setAttribute("aria-valuetext", name);
    this.own?.show(Math.max(0, state.shot), state.shot < 0 ? "none" : String(state.shot));
    this.sheet.update(shot, state.round);
    if (["faults", "shot", "p"].some((name) => changed.has(name as keyof State))) this.matched = null; // until the decoder has answered
    this.draw(shot, state);
    if (changed.has("faults") || changed.has("shot")) this.list(state);
    if (changed.has("p")) this.counter.reset();
  }

  decoded(decoded: Decoded, shot: Shot, state: State, recorded: Recorded | null): void {
    this.matched = decoded.matched;
    const { facts } = this.scene.model;
    const said = recorded && { name: decoderName(recorded.rival), observables: recorded.rival_says };
    this.draw(shot, state);
    byId("verdict").replaceChildren(...verdict(facts, decoded, shot.observables, said));
    byId("spoken").textContent = spoken(facts, decoded, shot.observables);
  }

  private draw(shot: Shot, { round, drawn }: State): void {
    this.space.update(shot, round, this.matched, this.drawn !== null && drawn === "torus");
    for (const input of this.drawn?.querySelectorAll("input") ?? []) input.checked = input.value === drawn;
  }

  private list({ faults, shot }: State): void {
    const shown = faults.slice(0, 60);
    const own = shot >= 0 && shot < this.scene.model.ownShots;
    byId("faults").replaceChildren(
      h("h3", {}, own ? `Your shot ${shot}, and ${many(faults.length, "fault")} put in` : many(faults.length, "fault")),
      own ? h("p", { class: "muted" }, "Nobody knows which faults made its events.") : "",
      h(
        "ul",
        { class: "chips" },
        ...shown.map((fault) =>
          h(
            "li",
            {},
            this.scene.faults.label(fault),
            h(
              "button",
              {
                type: "button",
                "aria-label": `Take away: ${this.scene.faults.label(fault)}`,
                onclick: () => this.store.change({ faults: toggled(this.store.state.faults, fault) }),
              },
              "×",
            ),
          ),
        ),
      ),
    );
  }

  private sample(): void {
    const happened = Noise.of(this.scene.model, this.store.state.p).shot(new Random(randomSeed()));
    this.show(happened);
    this.status.textContent = happened.length ? "" : "Nothing happened in this shot.";
  }

  private async find(wanted: Wanted): Promise<void> {
    this.finding.disabled = true;
    const found = await this.counter.find(
      wanted,
      (shots) => (this.status.textContent = `Looked at ${many(shots, "shot")}.`),
    );
    this.finding.disabled = false;
    if (found) this.show(found);
  }

  private show(happened: number[]): void {
    const faults = happened.map((fault) => `m${fault}`);
    this.store.change({
      faults,
      shot: -1,
      round: faults.length ? this.scene.firstRound(faults) : this.store.state.round,
    });
  }
}
