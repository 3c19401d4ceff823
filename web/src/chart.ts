// A chart of rates with intervals: points that tell their counts, series that can be switched off, and a table.

import { h, svg } from "./dom.ts";
import type { Rate } from "./statistics.ts";

export interface Point {
  x: number;
  y: Rate;
  says: string; // the counts behind it
}

export interface Series {
  name: string;
  /** One of this project's models, which are drawn fuller. */
  own: boolean;
  /** Which of the colours and marks it has. */
  look: number;
  points: Point[];
}

interface Axis {
  label: string;
  /** Ends of what is shown; of a logarithmic axis above 0. */
  range: [number, number];
  log: boolean;
  ticks: number[];
  format: (value: number) => string;
}

export interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  series: Series[];
  /** Whether points of a series are joined, and whether x = y is drawn. */
  joined: boolean;
  diagonal?: boolean;
}

const [WIDTH, HEIGHT] = [620, 400];
const [LEFT, RIGHT, TOP, BOTTOM] = [78, 24, 12, 56];

/** Of decoders, a colour `--series-N` each. */
export const MARKERS = [
  "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z",
  "M-4 -4h8v8h-8Z",
  "M0 -5.5L5 4H-5Z",
  "M0 -5.5L5.5 0L0 5.5L-5.5 0Z",
  "M0 5.5L5 -4H-5Z",
  "M-5 -1.5h3.5v-3.5h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5Z",
  "M-5 -5L0 0L5 -5V5L0 0L-5 5Z",
  "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z",
  "M-5.5 -2.2h11v4.4h-11Z",
];

function look(number: number): { colour: string; marker: string } {
  return { colour: `var(--series-${number})`, marker: MARKERS[number] };
}

export function chart({ title, x, y, series, joined, diagonal }: Chart, hidden: Set<string>): HTMLElement {
  const place = (axis: Axis, from: number, to: number) => (value: number) => {
    const at = (v: number) => (axis.log ? Math.log(Math.max(v, 1e-300)) : v);
    const [low, high] = axis.range.map(at);
    return from + ((Math.min(high, Math.max(low, at(value))) - low) / (high - low)) * (to - from);
  };
  const px = place(x, LEFT, WIDTH - RIGHT);
  const py = place(y, HEIGHT - BOTTOM, TOP);
  const says = h("p", { class: "about", role: "status" }, "Point at a mark for its shots, failures and interval.");
  const drawing = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": `${title}. The table below has the same figures.`,
  });
  for (const tick of x.ticks)
    drawing.append(
      line(px(tick), TOP, px(tick), HEIGHT - BOTTOM),
      label(px(tick), HEIGHT - BOTTOM + 20, x.format(tick), "middle"),
    );
  for (const tick of y.ticks)
    drawing.append(line(LEFT, py(tick), WIDTH - RIGHT, py(tick)), label(LEFT - 8, py(tick) + 4, y.format(tick), "end"));
  drawing.append(label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x.label, "middle"));
  drawing.append(
    svg(
      "text",
      { transform: `translate(18 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)`, "text-anchor": "middle" },
      y.label,
    ),
  );
  if (diagonal) {
    const low = Math.max(x.range[0], y.range[0]);
    const high = Math.min(x.range[1], y.range[1]);
    drawing.append(svg("path", { class: "diagonal", d: `M${px(low)} ${py(low)}L${px(high)} ${py(high)}` }));
  }
  const groups = new Map<string, SVGGElement>();
  for (const { name, own, points, look: number } of series) {
    const { colour, marker } = look(number);
    const group = svg("g", { class: own ? "own" : "", style: `--colour: ${colour}`, hidden: hidden.has(name) });
    groups.set(name, group);
    const counted = points.filter((point) => point.y.value > 0 || !y.log);
    if (joined && counted.length > 1)
      group.append(
        svg("path", {
          class: "joined",
          d: counted.map((point, i) => `${i ? "L" : "M"}${px(point.x)} ${py(point.y.value)}`).join(""),
        }),
      );
    for (const point of points) {
      const none = y.log && point.y.value === 0;
      const tell = () => (says.textContent = `${name}: ${point.says}`);
      const at = py(none ? point.y.high : point.y.value);
      group.append(
        svg("path", {
          class: "interval",
          d: `M${px(point.x)} ${py(point.y.high)}V${none ? at + 14 : py(point.y.low)}`,
        }),
        svg("path", {
          class: "point",
          d: none ? "M0 14L4 7H-4Z" : marker,
          transform: `translate(${px(point.x)} ${at})`,
        }),
        svg(
          "circle",
          { class: "catch", cx: px(point.x), cy: at, r: 11, onmouseenter: tell, onclick: tell },
          svg("title", {}, `${name}: ${point.says}`),
        ),
      );
    }
    drawing.append(group);
  }
  const key = h(
    "div",
    { class: "key" },
    ...series.map(({ name, look: number }) => {
      const { colour, marker } = look(number);
      const box = h("input", {
        type: "checkbox",
        checked: !hidden.has(name),
        onchange: () => {
          if (box.checked) hidden.delete(name);
          else hidden.add(name);
          groups.get(name)!.toggleAttribute("hidden", !box.checked);
        },
      });
      return h(
        "label",
        {},
        box,
        svg(
          "svg",
          { viewBox: "-8 -8 16 16", style: `--colour: ${colour}`, "aria-hidden": "true" },
          svg("path", { class: "point", d: marker }),
        ),
        name,
      );
    }),
  );
  const table = h(
    "table",
    {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Decoder"), h("th", { scope: "col" }, "What was counted"))),
    h(
      "tbody",
      {},
      ...series.flatMap(({ name, points }) =>
        points.map((point) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, point.says))),
      ),
    ),
  );
  return h(
    "div",
    {},
    drawing,
    key,
    says,
    h("details", {}, h("summary", {}, "As a table"), h("div", { class: "scrolled" }, table)),
  );
}

/** Powers of ten in a range. */
export function decades([low, high]: [number, number]): number[] {
  const from = Math.ceil(Math.log10(low) - 1e-9);
  const to = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i));
}

function line(x1: number, y1: number, x2: number, y2: number): SVGElement {
  return svg("line", { class: "grid", x1, y1, x2, y2 });
}

function label(x: number, y: number, text: string, anchor: string): SVGElement {
  return svg("text", { x, y, "text-anchor": anchor }, text);
}
