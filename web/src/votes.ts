// What each logical operator says, and which class of flips it speaks for.

import { byId, h, probability, svg } from "./dom.ts";
import type { Scene } from "./scene.ts";
import type { Decoded } from "./worker.ts";

const SHOWN = 6; // classes
const BARS = 24; // operators, those with most to say

export class Votes {
  private readonly scene: Scene;
  private readonly lattice: SVGSVGElement;
  private readonly qubits: SVGElement[];
  private readonly list = h("div", { class: "votes" });
  private readonly classes = h("div", {
    class: "classes",
    role: "group",
    "aria-label": "Classes of flips, the likeliest first",
  });
  private readonly says = h("p", { class: "muted", role: "status" });
  private decoded: Decoded | null = null;
  private chosen = 0;

  constructor(scene: Scene) {
    this.scene = scene;
    const half = (scene.half + 0.3) * 20;
    this.qubits = scene.at
      .slice(0, scene.n)
      .map(([x, y]) => svg("circle", { cx: x * 20, cy: y * 20, r: 5, class: "dot" }));
    this.lattice = svg(
      "svg",
      { viewBox: `${-half} ${-half} ${2 * half} ${2 * half}`, class: "mini", "aria-hidden": "true" },
      ...this.qubits,
    );
    byId("votes").replaceChildren(this.classes, this.says, h("div", { class: "ballot" }, this.lattice, this.list));
  }

  update(decoded: Decoded): void {
    this.decoded = decoded;
    this.chosen = decoded.observables;
    this.show();
  }

  private show(): void {
    if (!this.decoded) return;
    const { scores, evidence } = this.decoded;
    const { facts, tensors } = this.scene.model;
    const { k } = facts.code;
    const order = [...scores.keys()].sort((a, b) => scores[b] - scores[a]);
    const top = scores[order[0]];
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
    this.classes.replaceChildren(
      ...order.slice(0, SHOWN).map((one) =>
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(one === this.chosen),
            onclick: () => {
              this.chosen = one;
              this.show();
            },
          },
          `${name(one, k)} `,
          h("span", { class: "muted" }, probability(Math.exp(scores[one] - top) / total)),
        ),
      ),
    );

    const rival = order.find((one) => one !== this.chosen)!;
    const logicals = tensors.data<Uint8Array>("head.logicals");
    const odd = (operator: number, flips: number) => {
      let parity = 0;
      for (let i = 0; i < k; i++) parity ^= logicals[operator * k + i] & (flips >> i);
      return parity;
    };
    const votes = [...evidence.keys()]
      .map((operator) => ({
        operator,
        vote: facts.scale * evidence[operator] * (odd(operator, this.chosen) - odd(operator, rival)),
      }))
      .filter(({ vote }) => vote !== 0);
    if (k > 1) votes.sort((a, b) => Math.abs(b.vote) - Math.abs(a.vote));
    const most = Math.max(...votes.map(({ vote }) => Math.abs(vote)));
    const sum = votes.reduce((all, { vote }) => all + vote, 0);
    const some = votes.length > BARS ? `; the ${BARS} strongest are shown` : "";
    this.says.textContent =
      `“${name(this.chosen, k)}” against “${name(rival, k)}”: ` +
      `${votes.length} of ${evidence.length} operators tell them apart. ` +
      `Their votes add up to ${sum.toFixed(1)} ${sum >= 0 ? "for" : "against"} it${some}.`;
    this.list.replaceChildren(...votes.slice(0, BARS).map(({ operator, vote }) => this.bar(operator, vote, most)));
    this.mark(votes[0]?.operator ?? 0);
  }

  private bar(operator: number, vote: number, most: number): HTMLElement {
    const share = (50 * Math.abs(vote)) / most;
    const mark = () => this.mark(operator);
    return h(
      "div",
      {
        class: "vote",
        tabindex: 0,
        role: "img",
        "aria-label": `operator ${operator + 1} votes ${vote.toFixed(2)}`,
        onmouseenter: mark,
        onfocus: mark,
      },
      h(
        "div",
        {},
        h("div", {
          class: vote > 0 ? "for" : "against",
          style: `${vote > 0 ? "left" : "right"}: 50%; width: ${share}%`,
        }),
      ),
      h("span", {}, `${vote > 0 ? "+" : "−"}${Math.abs(vote).toFixed(2)}`),
    );
  }

  private mark(operator: number): void {
    const { n } = this.scene;
    const support = this.scene.model.tensors
      .data<Uint8Array>("draw.operator")
      .subarray(operator * n, (operator + 1) * n);
    this.qubits.forEach((qubit, i) => qubit.classList.toggle("marked", support[i] === 1));
  }
}

function name(flips: number, k: number): string {
  if (!flips) return k === 1 ? "not flipped" : "none flipped";
  return k === 1
    ? "flipped"
    : `flipped: ${[...Array(k).keys()]
        .filter((i) => (flips >> i) & 1)
        .map((i) => i + 1)
        .join(", ")}`;
}
