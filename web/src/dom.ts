// Elements, and numbers as text.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, unknown>;

const SVG = "http://www.w3.org/2000/svg";

export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS(SVG, tag) as SVGElementTagNameMap[K], attributes, children);
}

function filled<T extends Element>(element: T, attributes: Attributes, children: Child[]): T {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(
    ...children.filter((child): child is Node | string => child instanceof Node || typeof child === "string"),
  );
  return element;
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`expected an element #${id}`);
  return found as T;
}

let choices = 0; // so that no two are one group

/** One of several values, as radio buttons. */
export function choice<T extends string>(
  label: string,
  options: [T, string][],
  chosen: T,
  picked: (value: T) => void,
): HTMLFieldSetElement {
  const name = `choice${choices++}`;
  return h(
    "fieldset",
    { class: "choice" },
    h("legend", {}, label),
    ...options.map(([value, text]) =>
      h(
        "label",
        {},
        h("input", { type: "radio", name, value, checked: value === chosen, onchange: () => picked(value) }),
        h("span", {}, text),
      ),
    ),
  );
}

export interface Slider {
  element: HTMLElement;
  input: HTMLInputElement;
  show: (value: number, says: string) => void;
}

/** A whole number from a range, and what it means beside it. */
export function slider(label: string, id: string, min: number, max: number, picked: (value: number) => void): Slider {
  const input = h("input", { type: "range", id, min, max, step: 1 });
  const output = h("output", { for: id });
  input.addEventListener("input", () => picked(Number(input.value)));
  return {
    element: h("div", { class: "strengths" }, h("label", { for: id }, label), input, output),
    input,
    show(value, says) {
      input.value = String(value);
      input.setAttribute("aria-valuetext", says);
      output.textContent = says;
    },
  };
}

/** A probability, with as many digits as tell it from 0 and 1. */
export function probability(p: number): string {
  if (p > 0.5) {
    const left = 1 - p;
    return left < 1e-9 ? "1" : left < 0.001 ? `1 − ${power(left)}` : p.toFixed(3);
  }
  return p < 0.001 ? power(p) : p.toFixed(3);
}

export function power(x: number): string {
  if (x === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(x)) + 1e-9);
  const raised = [...String(exponent)].map((digit) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(digit)]);
  return `${(x / 10 ** exponent).toFixed(1)}·10${raised.join("")}`;
}

export function percent(x: number): string {
  return `${Number((100 * x).toPrecision(2))} %`;
}

export function count(n: number): string {
  return n.toLocaleString("en-GB");
}

export function many(n: number, what: string): string {
  return `${count(n)} ${what}${n === 1 ? "" : "s"}`;
}
