// One round of a code on a torus, rolled up: what leaves on one side comes back on the other.

import { event, fault, path, place, type Canvas, type Place, type Point } from "./drawing.ts";

const OUTER = 1;
const INNER = 0.52; // radii of the ring and of its tube
const FINE = 4; // tiles for a step from check to check

export function torus(canvas: Canvas): Place[] {
  const { context, width, height, yaw, tilt, scene, shot, round, colour } = canvas;
  const { model, n } = scene;
  const [l, m] = model.facts.period!;
  const [sin, cos] = [Math.sin(tilt + 0.3), Math.cos(tilt + 0.3)];
  const scale = Math.min(width / (2.1 * (OUTER + INNER)), height / (2.2 * ((OUTER + INNER) * sin + INNER * cos)));
  /** Where a place is drawn, how near it is to the reader, and how far it is turned to them (below 0: away). */
  const project = ([x, y]: Point): { at: Point; near: number; turned: number } => {
    const u = (2 * Math.PI * x) / l + yaw;
    const v = (2 * Math.PI * y) / m + Math.PI / 2;
    const ring = OUTER + INNER * Math.cos(v);
    const [depth, up] = [ring * Math.sin(u), INNER * Math.sin(v)];
    return {
      at: [width / 2 + scale * ring * Math.cos(u), height / 2 + scale * (depth * sin - up * cos)],
      near: depth * cos + up * sin,
      turned: Math.cos(v) * Math.sin(u) * cos + Math.sin(v) * sin,
    };
  };

  // What is far away comes first, and what is nearer hides it.
  const drawn: { near: number; draw: () => void }[] = [];
  const places: Place[] = [];
  for (let i = 0; i < l * FINE; i++) {
    for (let j = 0; j < m * FINE; j++) {
      const corners = [
        [i, j],
        [i + 1, j],
        [i + 1, j + 1],
        [i, j + 1],
      ].map(([a, b]) => project([a / FINE, b / FINE]));
      const { near, turned } = project([(i + 0.5) / FINE, (j + 0.5) / FINE]);
      if (turned < 0) continue;
      drawn.push({
        near,
        draw: () => {
          path(
            context,
            corners.map((corner) => corner.at),
          );
          const light = `${colour("paper")} ${Math.round(100 * turned)}%`;
          context.fillStyle = context.strokeStyle = `color-mix(in srgb, ${light}, ${colour("line")})`;
          context.lineWidth = 1;
          context.fill();
          context.stroke();
        },
      });
    }
  }
  const size = Math.max(2.5, scale * 0.03);
  scene.at.forEach((point, qubit) => {
    const { at, near, turned } = project(point);
    const detector = qubit < n ? -1 : model.detectorAt[round * model.checks + qubit - n];
    if (turned < 0 || (qubit >= n && detector < 0)) return;
    places.push({ x: at[0], y: at[1], round, qubit });
    drawn.push({
      near: near + 0.15,
      draw: () => {
        const letter = shot.letters.get(scene.place(round, qubit));
        place(canvas, at, qubit, size);
        if (detector >= 0 && shot.events[detector]) event(canvas, at, Math.max(8, scale * 0.065));
        if (letter) fault(canvas, at, letter, Math.max(6.5, scale * 0.048));
      },
    });
  });
  drawn.sort((a, b) => a.near - b.near).forEach(({ draw }) => draw());
  return places;
}
