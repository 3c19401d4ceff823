// What the drawings in space share.

import type { Matched } from "./matching.ts";
import type { Scene, Shot } from "./scene.ts";

export type Point = [x: number, y: number];

/** Where something is drawn that can be clicked. */
export interface Place {
  x: number;
  y: number;
  round: number;
  qubit: number;
}

export interface Canvas {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
  yaw: number;
  tilt: number;
  scene: Scene;
  shot: Shot;
  round: number;
  matched: Matched | null;
  colour: (name: string) => string;
}

export function path(context: CanvasRenderingContext2D, points: Point[]): void {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  context.closePath();
}

export function line(context: CanvasRenderingContext2D, ...points: Point[]): void {
  context.beginPath();
  points.forEach(([x, y]) => context.lineTo(x, y));
  context.stroke();
}

/** A data qubit, or a check. */
export function place({ context, scene, colour }: Canvas, [x, y]: Point, qubit: number, size: number): void {
  const check = qubit - scene.n;
  context.fillStyle = check < 0 ? colour("qubit") : colour(check < scene.model.xChecks ? "x" : "z");
  if (check < 0) disc(context, x, y, size);
  else context.fillRect(x - size, y - size, 2 * size, 2 * size);
}

export function event({ context, colour }: Canvas, [x, y]: Point, size: number): void {
  path(context, [
    [x, y - size],
    [x + size, y],
    [x, y + size],
    [x - size, y],
  ]);
  context.fillStyle = colour("event");
  context.fill();
  context.strokeStyle = colour("paper");
  context.lineWidth = 1;
  context.stroke();
}

export function fault({ context, colour }: Canvas, [x, y]: Point, letter: string, size: number): void {
  context.fillStyle = colour("fault");
  disc(context, x, y, size);
  context.fillStyle = colour("paper");
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `600 ${size * 1.4}px system-ui, sans-serif`;
  context.fillText(letter, x, y + 0.5);
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
