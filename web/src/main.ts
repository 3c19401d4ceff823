// Starts the page: fetches the chosen model, and tells its parts what has changed.

import "./page.css";
import { Counter } from "./counter.ts";
import { Decoder } from "./decoder.ts";
import { byId } from "./dom.ts";
import { Explorer } from "./explorer.ts";
import { Inside } from "./inside.ts";
import { Model } from "./model.ts";
import { neighbours } from "./neighbours.ts";
import { Controls, Play } from "./play.ts";
import { results } from "./results.ts";
import { Scene, type Shot } from "./scene.ts";
import { MODELS, Store, type ModelName, type State } from "./state.ts";
import { Stream } from "./stream.ts";
import { Votes } from "./votes.ts";
import type { Wanted } from "./worker.ts";

const store = new Store();
const controls = new Controls(store);

/** One model and all that shows it. */
class Shown {
  private readonly scene: Scene;
  private readonly decoder = new Decoder();
  private readonly counter: Counter<Wanted, number[]>;
  private readonly play: Play;
  private readonly explorer: Explorer;
  private readonly inside: Inside;
  private readonly votes: Votes;
  private readonly ready: Promise<unknown>;
  private shot!: Shot;
  private known!: State;
  private asked = 0;

  constructor(file: ArrayBuffer) {
    this.scene = new Scene(new Model(file));
    const names = this.scene.model.facts.code.matchable ? ["Network", "Matching"] : ["Network"];
    this.counter = new Counter(
      names,
      () => Decoder.opened(file),
      (decoder, asked) => decoder.ask("count", { ...asked, p: store.state.p }),
    );
    this.play = new Play(this.scene, this.counter, store, controls);
    this.explorer = new Explorer(this.scene, store, this.decoder, this.counter);
    this.inside = new Inside(this.scene, store);
    this.votes = new Votes(this.scene);
    this.ready = this.started(file);
    this.update(store.state, new Set(["faults", "p"]));
  }

  private async started(file: ArrayBuffer): Promise<void> {
    await this.decoder.ask("open", { file });
    this.inside.quiet(await this.decoder.ask("look", { events: new Uint8Array(this.scene.model.detectors) }));
  }

  update(state: State, changed: Set<keyof State>): void {
    const { rounds } = this.scene.model.facts;
    const faults = state.faults.filter((fault) => this.scene.faults.knows(fault));
    const known: State = { ...state, faults, round: Math.min(state.round, rounds) };
    if (changed.has("faults") || changed.has("shot") || !this.shot) this.shot = this.scene.shot(faults, state.shot);
    this.known = known;
    this.play.update(this.shot, known, changed);
    this.inside.update(known);
    if (["fails", "from", "p"].some((name) => changed.has(name as keyof State))) this.explorer.update(known);
    if (["faults", "shot", "p"].some((name) => changed.has(name as keyof State))) this.decode(known).catch(tell);
  }

  private async decode(state: State): Promise<void> {
    const number = ++this.asked;
    const { shot } = this;
    await this.ready;
    if (number !== this.asked) return;
    const decoded = await this.decoder.ask("decode", { events: shot.events, p: state.p });
    const layers = await this.decoder.ask("look", { events: shot.events });
    if (number !== this.asked) return;
    this.play.decoded(decoded, shot, this.known, this.explorer.recordedAt(this.known));
    this.inside.features(layers, shot);
    this.votes.update(decoded);
  }

  close(): void {
    this.asked++;
    this.decoder.close();
    this.counter.close();
  }
}

function tell(error: Error): void {
  byId("trouble").textContent = `Decoding failed: ${error.message}.`;
}

const files = new Map<ModelName, Promise<ArrayBuffer>>();

/** A model's file, asked for once; again if that failed. */
function fetched(model: ModelName): Promise<ArrayBuffer> {
  const ask = async () => {
    const answer = await fetch(new URL(`models/${model}.safetensors`, document.baseURI));
    if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
    return answer.arrayBuffer();
  };
  const known = files.get(model) ?? ask();
  files.set(model, known);
  known.catch(() => files.delete(model));
  return known;
}

let shown: Shown | null = null;

async function open(model: ModelName): Promise<void> {
  shown?.close();
  shown = null;
  const stage = byId("play");
  stage.setAttribute("aria-busy", "true");
  try {
    const file = await fetched(model);
    if (store.state.model !== model) return;
    shown = new Shown(file);
    byId("trouble").textContent = "";
  } catch (error) {
    byId("trouble").textContent =
      `The model ${model} could not be loaded: ${error instanceof Error ? error.message : error}.`;
  }
  stage.removeAttribute("aria-busy");
}

store.listen((state, changed) => {
  if (changed.has("model")) void open(MODELS.find((model) => model === state.model)!);
  else shown?.update(state, changed);
});
// A link to a heading would take the place of the state in the address.
byId("skip").addEventListener("click", (event) => {
  event.preventDefault();
  byId("play-title").focus();
});
void open(store.state.model);

// The stream's model is asked for when its section comes near.
new IntersectionObserver(
  (entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    new Stream(store, fetched);
  },
  { rootMargin: "400px" },
).observe(byId("stream"));
neighbours(store).catch(
  (error: Error) => (byId("no-kernels").textContent = `The kernels could not be loaded: ${error.message}.`),
);
results(store).catch(
  (error: Error) => (byId("no-results").textContent = `The tables could not be loaded: ${error.message}.`),
);
