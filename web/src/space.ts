// The whole shot in space and time: rounds are layers, one above the other. Drag it to turn it.

import type { Matched } from "./matching.ts";
import type { Scene, Shot } from "./scene.ts";

interface Place {
  x: number;
  y: number;
  round: number;
  qubit: number;
}

export class Space {
  readonly element: HTMLCanvasElement;
  private readonly scene: Scene;
  private yaw = 0.6;
  private tilt = 0.42;
  private places: Place[] = [];
  private last: { shot: Shot; round: number; matched: Matched | null } | null = null;

  constructor(scene: Scene, clicked: (round: number, qubit: number) => void, turned: (rounds: number) => void) {
    this.scene = scene;
    this.element = document.createElement("canvas");
    this.element.className = "space";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "img");
    this.pointers(clicked);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.turn(event.key === "ArrowLeft" ? -0.15 : 0.15, 0);
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") turned(event.key === "ArrowUp" ? 1 : -1);
      else return;
      event.preventDefault();
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  update(shot: Shot, round: number, matched: Matched | null): void {
    this.last = { shot, round, matched };
    const { rounds } = this.scene.model.facts, events = shot.events.reduce((sum, event) => sum + event, 0);
    this.element.setAttribute("aria-label", `The shot in space and time: ${rounds} rounds and the readout, ${shot.letters.size} faults, ${events} detection events. Arrow keys turn it and change the round.`);
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
    const box = this.element.getBoundingClientRect(), [x, y] = [event.clientX - box.left, event.clientY - box.top];
    let best: Place | null = null, distance = 10;
    for (const place of this.places) {
      const away = Math.hypot(place.x - x, place.y - y) + (place.round === this.last?.round ? 0 : 2);
      if (away < distance) [best, distance] = [place, away];
    }
    return best;
  }

  private draw(): void {
    const { width, height } = this.element.getBoundingClientRect(), context = this.element.getContext("2d");
    if (!this.last || !context || !width) return;
    const ratio = devicePixelRatio || 1;
    [this.element.width, this.element.height] = [width * ratio, height * ratio];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { shot, round, matched } = this.last, { scene } = this, { model, n } = scene, { slices } = model.facts;
    const style = getComputedStyle(this.element), colour = (name: string) => style.getPropertyValue(`--${name}`);

    const rise = (2.6 * scene.half) / slices; // between layers
    const reach = scene.half * Math.SQRT2, [sin, cos] = [Math.sin(this.tilt), Math.cos(this.tilt)];
    const scale = Math.min(width / (2.2 * reach), height / (2.15 * reach * sin + slices * rise * cos + 1));
    const project = ([x, y]: [number, number], t: number): [number, number] => {
      const [u, v] = [x * Math.cos(this.yaw) - y * Math.sin(this.yaw), x * Math.sin(this.yaw) + y * Math.cos(this.yaw)];
      return [width / 2 + scale * u, height / 2 + scale * (v * sin - (t - (slices - 1) / 2) * rise * cos)];
    };

    this.places = [];
    const edge = scene.half + 0.2, corners: [number, number][] = [[-edge, -edge], [edge, -edge], [edge, edge], [-edge, edge]];
    for (let t = 0; t < slices; t++) {
      const active = t === round;
      path(context, corners.map((corner) => project(corner, t)));
      context.fillStyle = colour(active ? "layer-active" : "layer");
      context.fill();
      context.strokeStyle = colour(active ? "accent" : "line");
      context.lineWidth = active ? 1.5 : 0.75;
      context.stroke();
      scene.at.forEach((at, qubit) => {
        const [x, y] = project(at, t), check = qubit - n, detector = check < 0 ? 0 : model.detectorAt[t * model.checks + check];
        if (detector < 0) return;
        this.places.push({ x, y, round: t, qubit });
        context.fillStyle = check < 0 ? colour("qubit") : colour(check < model.xChecks ? "x" : "z");
        context.globalAlpha = active ? 0.9 : 0.35;
        const size = Math.min(4, scale * 0.12) * (active ? 1 : 0.75);
        if (check < 0) disc(context, x, y, size);
        else context.fillRect(x - size, y - size, 2 * size, 2 * size);
        context.globalAlpha = 1;
      });
    }
    const where = (detector: number) => project(scene.at[n + model.detectorCheck[detector]], model.detectorSlice[detector]);
    context.lineWidth = 2;
    context.strokeStyle = colour("matched");
    context.setLineDash([5, 3]);
    for (const [a, b, crossed] of matched?.pairs ?? []) {
      const here = scene.at[n + model.detectorCheck[a]], along = model.facts.basis === "Z" ? 1 : 0;
      // of the two boundaries that one beyond which no observable is crossed, which is the code's middle line
      const side: [number, number] = [...here];
      side[along] = Math.sign(here[along]) * (crossed ? -1 : 1) * (edge + 0.2);
      line(context, where(a), b < 0 ? project(side, model.detectorSlice[a]) : where(b));
    }
    context.setLineDash([]);
    shot.events.forEach((event, detector) => {
      if (!event) return;
      const [x, y] = where(detector), size = Math.max(5, Math.min(8, scale * 0.28));
      path(context, [[x, y - size], [x + size, y], [x, y + size], [x - size, y]]);
      context.fillStyle = colour("event");
      context.fill();
      context.strokeStyle = colour("paper");
      context.lineWidth = 1;
      context.stroke();
    });
    context.textAlign = "center";
    context.textBaseline = "middle";
    const size = Math.max(6, Math.min(8, scale * 0.3));
    context.font = `600 ${size * 1.4}px system-ui, sans-serif`;
    for (const [place, letter] of shot.letters) {
      const t = Math.floor(place / scene.at.length), [x, y] = project(scene.at[place % scene.at.length], t);
      context.fillStyle = colour("fault");
      disc(context, x, y, size);
      context.fillStyle = colour("paper");
      context.fillText(letter, x, y + 0.5);
    }
    this.axis(context, height, colour("muted"));
  }

  private axis(context: CanvasRenderingContext2D, height: number, colour: string): void {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = 1;
    line(context, [16, height - 14], [16, height - 64]);
    path(context, [[16, height - 70], [12, height - 62], [20, height - 62]]);
    context.fill();
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "left";
    context.fillText("time", 24, height - 40);
  }
}

function path(context: CanvasRenderingContext2D, points: [number, number][]): void {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
}

function line(context: CanvasRenderingContext2D, from: [number, number], to: [number, number]): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
