// One round of the code, flat: every qubit and check is a button.

import { svg } from "./dom.ts";
import type { Scene, Shot } from "./scene.ts";

const UNIT = 48;

export class Sheet {
  readonly element: SVGSVGElement;
  private readonly scene: Scene;
  private readonly buttons: SVGGElement[];
  private readonly plaquettes: SVGElement[];

  constructor(scene: Scene, clicked: (qubit: number) => void) {
    this.scene = scene;
    const half = (scene.half + 0.55) * UNIT;
    const { n } = scene;
    this.element = svg("svg", {
      class: "sheet",
      viewBox: `${-half} ${-half} ${2 * half} ${2 * half}`,
      role: "group",
      "aria-label": "Qubits and checks of the chosen round",
    });
    const checks = [...Array(scene.model.checks).keys()];
    this.plaquettes = checks.map((check) => this.plaquette(check));
    this.element.append(...this.plaquettes);
    if (scene.model.facts.period) this.element.append(...this.torus(half));
    this.buttons = scene.at.map(([x, y], qubit) => {
      const shape = qubit < n ? svg("circle", { r: 11 }) : svg("rect", { x: -8, y: -8, width: 16, height: 16, rx: 3 });
      const button = svg(
        "g",
        {
          class: qubit < n ? "qubit" : this.checkClass(qubit - n),
          transform: `translate(${x * UNIT} ${y * UNIT})`,
          role: "button",
          tabindex: qubit ? -1 : 0,
          onclick: () => clicked(qubit),
          onkeydown: (event: KeyboardEvent) => this.key(event, qubit, clicked),
          onmouseenter: () => this.show(qubit),
          onmouseleave: () => this.show(-1),
          onfocus: () => this.show(qubit),
          onblur: () => this.show(-1),
        },
        svg("circle", { class: "reach", r: 20 }),
        svg("path", { class: "event", d: "M0 -17 L17 0 L0 17 L-17 0 Z" }),
        shape,
        svg("text", { dy: "0.36em" }),
      );
      return button;
    });
    this.element.append(...this.buttons);
  }

  update(shot: Shot, round: number): void {
    const { model, n, faults } = this.scene;
    this.buttons.forEach((button, qubit) => {
      const letter = shot.letters.get(this.scene.place(round, qubit)) ?? "";
      const detector = qubit < n ? -1 : model.detectorAt[round * model.checks + qubit - n];
      const event = detector >= 0 && shot.events[detector] === 1;
      const absent = qubit >= n && detector < 0;
      button.classList.toggle("faulty", letter !== "");
      button.classList.toggle("lit", event);
      button.classList.toggle("absent", absent);
      button.querySelector("text")!.textContent = letter;
      button.setAttribute("aria-pressed", String(letter !== ""));
      const state = [
        letter && (letter === "M" ? "wrong measurement" : `error ${letter}`),
        event && "detection event",
        absent && "no detector in this round",
      ];
      button.setAttribute("aria-label", `${faults.name(qubit)}: ${state.filter(Boolean).join(", ") || "nothing"}`);
    });
  }

  /** What a check looks at, or who looks at a data qubit. */
  private show(qubit: number): void {
    const { n } = this.scene;
    const near = new Set<number>();
    if (qubit >= n) for (const one of this.scene.support(qubit - n)) near.add(one);
    else if (qubit >= 0)
      this.plaquettes.forEach((_, check) => this.scene.support(check).includes(qubit) && near.add(n + check));
    this.buttons.forEach((button, other) => button.classList.toggle("near", near.has(other)));
  }

  private key(event: KeyboardEvent, qubit: number, clicked: (qubit: number) => void): void {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const here = this.scene.at[qubit];
      let best = -1;
      let cost = Infinity;
      this.scene.at.forEach(([x, y], other) => {
        const along = (x - here[0]) * way[0] + (y - here[1]) * way[1];
        const across = Math.abs((x - here[0]) * way[1]) + Math.abs((y - here[1]) * way[0]);
        if (along > 1e-6 && along >= across && along + 2 * across < cost) [best, cost] = [other, along + 2 * across];
      });
      if (best >= 0) {
        this.buttons[qubit].setAttribute("tabindex", "-1");
        this.buttons[best].setAttribute("tabindex", "0");
        this.buttons[best].focus();
      }
    } else if (event.key === "Enter" || event.key === " ") clicked(qubit);
    else return;
    event.preventDefault();
  }

  private checkClass(check: number): string {
    return `check ${check < this.scene.model.xChecks ? "x" : "z"}`;
  }

  /** The face of a check on the plane; on a torus its qubits are not around it. */
  private plaquette(check: number): SVGElement {
    if (this.scene.model.facts.period) return svg("g");
    const [cx, cy] = this.scene.at[this.scene.n + check];
    const corners = this.scene.support(check).map((qubit) => this.scene.at[qubit]);
    if (corners.length === 2) corners.push([cx, cy]);
    const [mx, my] = [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);
    corners.sort((a, b) => Math.atan2(a[1] - my, a[0] - mx) - Math.atan2(b[1] - my, b[0] - mx));
    return svg("polygon", {
      class: `face ${this.checkClass(check)}`,
      points: corners.map(([x, y]) => `${x * UNIT},${y * UNIT}`).join(" "),
    });
  }

  /** Opposite edges are the same line. */
  private torus(half: number): SVGElement[] {
    const edge = half - 6;
    return [svg("rect", { class: "seam", x: -edge, y: -edge, width: 2 * edge, height: 2 * edge, rx: 6 })];
  }
}
