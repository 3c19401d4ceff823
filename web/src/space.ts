// A drawing of the shot that can be turned and clicked: the whole of it in time, or a round on its torus.

import { many } from "./dom.ts";
import type { Canvas, Place } from "./drawing.ts";
import type { Matched } from "./matching.ts";
import type { Scene, Shot } from "./scene.ts";
import { stack } from "./stack.ts";
import { torus } from "./torus.ts";

export class Space {
  readonly element = document.createElement("canvas");
  private readonly scene: Scene;
  private yaw = 0.6;
  private tilt = 0.42;
  private places: Place[] = [];
  private last: { shot: Shot; round: number; matched: Matched | null; rolled: boolean } | null = null;

  constructor(scene: Scene, clicked: (round: number, qubit: number) => void, stepped: (rounds: number) => void) {
    this.scene = scene;
    this.element.className = "space";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "img");
    this.pointers(clicked);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight")
        this.turn(event.key === "ArrowLeft" ? -0.15 : 0.15, 0);
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") stepped(event.key === "ArrowUp" ? 1 : -1);
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  update(shot: Shot, round: number, matched: Matched | null, rolled: boolean): void {
    this.last = { shot, round, matched, rolled };
    const { rounds } = this.scene.model.facts;
    const events = shot.events.reduce((sum, event) => sum + event, 0);
    this.element.setAttribute(
      "aria-label",
      `The shot in space and time: ${many(rounds, "round")} and the readout, ` +
        `${many(shot.letters.size, "place")} with faults, ${many(events, "detection event")}. ` +
        "Arrow keys turn it and change the round.",
    );
    this.draw();
  }

  private turn(yaw: number, tilt: number): void {
    this.yaw += yaw;
    this.tilt = Math.min(1.35, Math.max(0.15, this.tilt + tilt));
    this.draw();
  }

  private pointers(clicked: (round: number, qubit: number) => void): void {
    let from: { x: number; y: number; moved: boolean } | null = null;
    this.element.addEventListener("pointerdown", (event) => {
      from = { x: event.clientX, y: event.clientY, moved: false };
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!from) {
        this.element.style.cursor = this.nearest(event) ? "pointer" : "grab";
        return;
      }
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.hypot(dx, dy) < 5) return;
      from = { x: event.clientX, y: event.clientY, moved: true };
      this.turn(-dx / 150, dy / 250);
    });
    this.element.addEventListener("pointerup", (event) => {
      const place = from && !from.moved ? this.nearest(event) : null;
      from = null;
      if (place) clicked(place.round, place.qubit);
    });
    this.element.addEventListener("pointercancel", () => (from = null));
  }

  private nearest(event: PointerEvent): Place | null {
    const box = this.element.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best: Place | null = null;
    let distance = 10;
    for (const place of this.places) {
      const away = Math.hypot(place.x - x, place.y - y) + (place.round === this.last?.round ? 0 : 2);
      if (away < distance) [best, distance] = [place, away];
    }
    return best;
  }

  private draw(): void {
    const { width, height } = this.element.getBoundingClientRect();
    const context = this.element.getContext("2d");
    if (!this.last || !context || !width) return;
    const ratio = devicePixelRatio || 1;
    const style = getComputedStyle(this.element);
    [this.element.width, this.element.height] = [width * ratio, height * ratio];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const canvas: Canvas = {
      ...this.last,
      context,
      width,
      height,
      yaw: this.yaw,
      tilt: this.tilt,
      scene: this.scene,
      colour: (name) => style.getPropertyValue(`--${name}`),
    };
    this.places = this.last.rolled ? torus(canvas) : stack(canvas);
  }
}
