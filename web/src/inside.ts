// The network's features at every check and round, layer by layer.

import { colour, gradient, type Scale } from "./colours.ts";
import { byId, choice, count, h, percent, svg } from "./dom.ts";
import { cell, map, when } from "./lattice.ts";
import { receptiveField } from "./receptive.ts";
import type { Scene, Shot } from "./scene.ts";
import { VIEWS, type State, type Store, type View } from "./state.ts";

const TITLES: Record<View, string> = { change: "Change by the events", size: "Size", channel: "One channel" };

export class Inside {
  private readonly scene: Scene;
  private readonly store: Store;
  private readonly cells: SVGElement[] = []; // by site
  private readonly place: { check: number; slice: number }[] = []; // of each site
  private readonly layer = h("input", { type: "range", id: "layer", min: 0, step: 1 });
  private readonly layerSays = h("output", { for: "layer" });
  private readonly channel = h("input", { type: "range", id: "channel", min: 0, step: 1 });
  private readonly channelSays = h("output", { for: "channel" });
  private readonly channelRow: HTMLElement;
  private readonly about = h("p", { class: "about", role: "status" });
  private readonly scale = h("div", { class: "scale" });
  private silence: Float32Array[] = [];
  private layers: Float32Array[] = [];
  private shot: Shot | null = null;
  private values = new Float32Array(0);
  private looked = -1; // site
  private pinned = -1; // looked at until another one is

  constructor(scene: Scene, store: Store) {
    const { depth, width, slices } = scene.model.facts;
    this.scene = scene;
    this.store = store;
    this.layer.max = String(depth + 1);
    this.layer.addEventListener("input", () => store.change({ layer: Number(this.layer.value) }));
    this.channel.max = String(width - 1);
    this.channel.addEventListener("input", () => store.change({ channel: Number(this.channel.value) }));
    const step = (by: number) =>
      store.change({ layer: Math.min(depth + 1, Math.max(0, Number(this.layer.value) + by)) });
    this.channelRow = h(
      "div",
      { class: "rounds" },
      h("label", { for: "channel" }, "Channel"),
      this.channel,
      this.channelSays,
    );
    byId("layers").replaceChildren(
      h(
        "div",
        { class: "rounds" },
        h("label", { for: "layer" }, "Layer"),
        h("button", { type: "button", "aria-label": "Earlier layer", onclick: () => step(-1) }, "◀"),
        this.layer,
        h("button", { type: "button", "aria-label": "Later layer", onclick: () => step(1) }, "▶"),
        this.layerSays,
      ),
      choice(
        "What is shown",
        VIEWS.map((view) => [view, TITLES[view]]),
        store.state.view,
        (view) => store.change({ view }),
      ),
      this.channelRow,
      this.scale,
    );
    const maps = h(
      "div",
      {
        class: "maps",
        tabindex: 0,
        role: "group",
        "aria-label":
          "Features at every check, a map for each round. Arrow keys go from check to check, " +
          "Page Up and Page Down from round to round.",
        onkeydown: (event: KeyboardEvent) => this.key(event),
        onmouseleave: () => this.look(this.pinned),
      },
      ...Array.from({ length: slices }, (_, slice) => this.map(slice)),
    );
    byId("maps").replaceChildren(maps, this.about);
    const { name, parameters, rounds, trained_at } = scene.model.facts;
    byId("facts").textContent =
      `${name} has ${count(parameters)} weights in ${depth} blocks, and ${width} numbers for every check and round. ` +
      `It has learnt ${rounds} rounds at p = ${percent(trained_at)}. ` +
      "Here is what it makes of the shot above, layer by layer; events have a rim.";
    this.look(-1);
  }

  /** The features of the shot with no event. */
  quiet(layers: Float32Array[]): void {
    this.silence = layers;
  }

  features(layers: Float32Array[], shot: Shot): void {
    this.layers = layers;
    this.shot = shot;
    this.update(this.store.state);
  }

  update(state: State): void {
    const { depth, width } = this.scene.model.facts;
    const layer = Math.min(state.layer, depth + 1);
    const channel = Math.min(state.channel, width - 1);
    this.layer.value = String(layer);
    const name = layer === 0 ? "embedding" : layer > depth ? "as the head reads it" : `block ${layer} of ${depth}`;
    this.layerSays.textContent = name;
    this.layer.setAttribute("aria-valuetext", name);
    this.channel.value = String(channel);
    this.channelSays.textContent = `${channel + 1} of ${width}`;
    this.channelRow.hidden = state.view !== "channel";
    for (const input of byId("layers").querySelectorAll<HTMLInputElement>("input[type=radio]"))
      input.checked = input.value === state.view;
    if (this.layers.length) this.paint(state, layer, channel);
    this.look(this.looked);
  }

  private paint(state: State, layer: number, channel: number): void {
    const { width } = this.scene.model.facts;
    const [now, before] = [this.layers[layer], this.silence[layer]];
    this.values = Float32Array.from({ length: this.cells.length }, (_, site) => {
      if (state.view === "channel") return now[site * width + channel];
      let sum = 0;
      for (let c = site * width; c < (site + 1) * width; c++)
        sum += (now[c] - (state.view === "change" ? before[c] : 0)) ** 2;
      return Math.sqrt(sum / width);
    });
    const scale: Scale = state.view === "channel" ? "diverging" : "sequential";
    const most = this.values.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-9);
    const least = scale === "diverging" ? -most : 0;
    const { detectorAt, checks } = this.scene.model;
    this.cells.forEach((mark, site) => {
      const { check, slice } = this.place[site];
      const detector = detectorAt[slice * checks + check];
      mark.setAttribute("fill", colour((this.values[site] - least) / (most - least), scale));
      mark.classList.toggle("lit", detector >= 0 && this.shot?.events[detector] === 1);
    });
    this.scale.replaceChildren(
      h("span", {}, least.toFixed(2)),
      h("div", { style: `background: ${gradient(scale)}` }),
      h("span", {}, most.toFixed(2)),
    );
  }

  /** Go on looking at a site, or at none if it was that one. */
  private pin(site: number): void {
    this.pinned = site === this.pinned ? -1 : site;
    this.look(this.pinned);
  }

  /** Show what a site depends on. */
  private look(site: number): void {
    this.looked = site;
    const { model, faults } = this.scene;
    const blocks = Math.min(this.store.state.layer, model.facts.depth);
    const field = site < 0 ? null : receptiveField(model, site, blocks);
    this.cells.forEach((mark, other) => {
      mark.classList.toggle("outside", field !== null && !field[other]);
      mark.classList.toggle("looked", other === site);
    });
    if (site < 0) {
      this.about.textContent =
        "Point at a check to see what its features depend on. A click keeps it while you step through the layers.";
      return;
    }
    const { check, slice } = this.place[site];
    const detectors = this.place.filter(
      (place, other) => field![other] && model.detectorAt[place.slice * model.checks + place.check] >= 0,
    );
    const value = this.values.length ? `: ${this.values[site].toFixed(3)}` : "";
    const qubits = new Set(detectors.flatMap(({ check }) => this.scene.support(check)));
    const depends =
      `Depends on ${detectors.length} of ${model.detectors} detectors, ` +
      `of checks on ${qubits.size} of ${this.scene.n} data qubits.`;
    this.about.textContent = `${faults.checkName(check)}, ${when(this.scene, slice)}${value}. ${depends}`;
  }

  private map(slice: number): HTMLElement {
    const { scene } = this;
    const site = scene.model.tensors.data<Int16Array>("draw.site");
    const cells = Array.from({ length: scene.model.checks }, (_, check) => {
      const at = site[slice * scene.model.checks + check];
      this.place[at] = { check, slice };
      return (this.cells[at] = svg("path", {
        d: cell(scene, check),
        class: "cell",
        fill: "#8886",
        onmouseenter: () => this.look(at),
        onclick: () => this.pin(at),
      }));
    });
    return map(scene, when(scene, slice), cells);
  }

  private key(event: KeyboardEvent): void {
    const { model, at, n } = this.scene;
    const site = model.tensors.data<Int16Array>("draw.site");
    const here = this.looked < 0 ? { check: 0, slice: 0 } : { ...this.place[this.looked] };
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "PageUp" || event.key === "PageDown") {
      here.slice = Math.min(model.facts.rounds, Math.max(0, here.slice + (event.key === "PageDown" ? 1 : -1)));
    } else if (way) {
      const [x, y] = at[n + here.check];
      let cost = Infinity;
      for (let check = 0, from = here.check; check < model.checks; check++) {
        const [dx, dy] = [at[n + check][0] - x, at[n + check][1] - y];
        const along = dx * way[0] + dy * way[1];
        const across = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
        if (check !== from && along > 1e-6 && along + 2 * across < cost)
          [here.check, cost] = [check, along + 2 * across];
      }
    } else return;
    event.preventDefault();
    this.look((this.pinned = site[here.slice * model.checks + here.check]));
  }
}
