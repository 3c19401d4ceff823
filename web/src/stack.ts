// The whole shot in space and time: rounds are layers, one above the other.

import { event, fault, line, path, place, type Canvas, type Place, type Point } from "./drawing.ts";

export function stack(canvas: Canvas): Place[] {
  const { context, width, height, yaw, tilt, scene, shot, round, matched, colour } = canvas;
  const { model, n } = scene;
  const { slices, basis } = model.facts;
  const rise = (2.6 * scene.half) / slices; // between layers
  const reach = scene.half * Math.SQRT2;
  const [sin, cos] = [Math.sin(tilt), Math.cos(tilt)];
  const scale = Math.min(width / (2.2 * reach), height / (2.15 * reach * sin + slices * rise * cos + 1));
  const project = ([x, y]: Point, t: number): Point => {
    const [u, v] = [x * Math.cos(yaw) - y * Math.sin(yaw), x * Math.sin(yaw) + y * Math.cos(yaw)];
    return [width / 2 + scale * u, height / 2 + scale * (v * sin - (t - (slices - 1) / 2) * rise * cos)];
  };

  const places: Place[] = [];
  const edge = scene.half + 0.2;
  const corners: Point[] = [
    [-edge, -edge],
    [edge, -edge],
    [edge, edge],
    [-edge, edge],
  ];
  for (let t = 0; t < slices; t++) {
    const active = t === round;
    path(
      context,
      corners.map((corner) => project(corner, t)),
    );
    context.fillStyle = colour(active ? "layer-active" : "layer");
    context.fill();
    context.strokeStyle = colour(active ? "accent" : "line");
    context.lineWidth = active ? 1.5 : 0.75;
    context.stroke();
    context.globalAlpha = active ? 0.9 : 0.35;
    scene.at.forEach((at, qubit) => {
      if (qubit >= n && model.detectorAt[t * model.checks + qubit - n] < 0) return;
      const [x, y] = project(at, t);
      places.push({ x, y, round: t, qubit });
      place(canvas, [x, y], qubit, Math.min(4, scale * 0.12) * (active ? 1 : 0.75));
    });
    context.globalAlpha = 1;
  }

  const where = (detector: number) =>
    project(scene.at[n + model.detectorCheck[detector]], model.detectorSlice[detector]);
  context.lineWidth = 2;
  context.strokeStyle = colour("matched");
  context.setLineDash([5, 3]);
  for (const [a, b, crossed] of matched?.pairs ?? []) {
    const here = scene.at[n + model.detectorCheck[a]];
    const along = basis === "Z" ? 1 : 0;
    // the boundary on this side of the observable, which is the code's middle line, or the one beyond it
    const side: Point = [...here];
    side[along] = Math.sign(here[along]) * (crossed ? -1 : 1) * (edge + 0.2);
    line(context, where(a), b < 0 ? project(side, model.detectorSlice[a]) : where(b));
  }
  context.setLineDash([]);
  shot.events.forEach((lit, detector) => {
    if (lit) event(canvas, where(detector), Math.max(6, Math.min(10, scale * 0.34)));
  });
  for (const [at, letter] of shot.letters) {
    fault(
      canvas,
      project(scene.at[at % scene.at.length], Math.floor(at / scene.at.length)),
      letter,
      Math.max(5.5, Math.min(8, scale * 0.28)),
    );
  }

  context.strokeStyle = context.fillStyle = colour("muted");
  context.lineWidth = 1;
  line(context, [16, height - 14], [16, height - 64]);
  path(context, [
    [16, height - 70],
    [12, height - 62],
    [20, height - 62],
  ]);
  context.fill();
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "left";
  context.fillText("time", 24, height - 40);
  return places;
}
