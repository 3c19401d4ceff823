// What both decoders say of a shot, and what is true.

import { sigmoid } from "./decision.ts";
import { h, power, probability } from "./dom.ts";
import type { Facts } from "./model.ts";
import type { Decoded } from "./worker.ts";

export function verdict(
  facts: Facts,
  decoded: Decoded,
  truth: number | null,
  recorded: { name: string; observables: number } | null,
): HTMLElement[] {
  const { k, matchable } = facts.code;
  const names = (mask: number) =>
    k === 1 ? (mask ? "flipped" : "not flipped") : mask ? `${flipped(mask, k)} of ${k} flipped` : "none flipped";
  const judged = (name: string, said: number) => row(name, names(said), truth === null ? null : said === truth);
  const rows = [
    row("True", truth === null ? "not known" : names(truth), null),
    judged("Network", decoded.observables),
    matchable && decoded.matched
      ? judged("Matching", decoded.matched.observables)
      : h(
          "p",
          { class: "row muted" },
          h("span", {}, "Matching"),
          h("span", {}, "none: an error of this code lights three checks of a kind, and matching needs pairs"),
        ),
  ];
  const confidence = sigmoid(decoded.logOdds);
  return [
    h("h3", {}, k === 1 ? "Is the logical qubit flipped?" : `Which of the ${k} logical qubits are flipped?`),
    ...rows,
    recorded && judged(recorded.name, recorded.observables),
    h("p", {}, "The network’s probability of a flip:"),
    k === 1 ? bar(decoded.probabilities[0], "P(flip)") : bars(decoded, truth, k),
    h(
      "p",
      {},
      "Confidence that it is right in all: ",
      h("strong", {}, probability(confidence)),
      confidence > 0.999 ? ` (wrong once in ${power(Math.exp(decoded.logOdds))} such shots)` : "",
    ),
    h("p", { class: "muted" }, `Decoded here in ${decoded.milliseconds.toFixed(1)} ms.`),
  ].filter((one) => one !== null);
}

/** The same in a sentence, for those who listen. */
export function spoken(facts: Facts, decoded: Decoded, truth: number | null): string {
  const judged = (observables: number) =>
    truth === null ? "nobody knows whether that is right" : observables === truth ? "is right" : "is wrong";
  const matching = decoded.matched ? ` Matching ${judged(decoded.matched.observables)}.` : "";
  const says =
    facts.code.k === 1
      ? `a probability of ${probability(decoded.probabilities[0])} that the logical qubit is flipped`
      : `${flipped(decoded.observables, facts.code.k)} flips`;
  return `The network says ${says}, and ${judged(decoded.observables)}.${matching}`;
}

function flipped(mask: number, k: number): number {
  return [...Array(k).keys()].filter((i) => (mask >> i) & 1).length;
}

export function row(who: string, what: string, right: boolean | null): HTMLElement {
  return h(
    "p",
    { class: `row ${right === null ? "" : right ? "right" : "wrong"}` },
    h("span", {}, who),
    h("span", {}, what),
    right === null ? null : h("span", { class: "mark" }, right ? "✓ right" : "✗ wrong"),
  );
}

function bar(p: number, label: string): HTMLElement {
  return h(
    "div",
    { class: "bar", role: "img", "aria-label": `${label} ${probability(p)}` },
    h("div", { class: "filled", style: `width: ${100 * p}%` }),
    h("span", {}, probability(p)),
  );
}

function bars(decoded: Decoded, truth: number | null, k: number): HTMLElement {
  const one = (i: number) => {
    const p = decoded.probabilities[i];
    const true_ = truth !== null && (truth >> i) & 1;
    return h(
      "div",
      {
        class: "column",
        role: "img",
        "aria-label": `logical qubit ${i + 1}: P(flip) ${probability(p)}${truth === null ? "" : true_ ? ", flipped" : ", not flipped"}`,
        title: `logical qubit ${i + 1}: ${probability(p)}`,
      },
      h("div", { class: "filled", style: `height: ${100 * p}%` }),
      h("span", {}, truth === null ? "" : true_ ? "●" : "○"),
    );
  };
  return h(
    "div",
    { class: "columns" },
    ...[...Array(k).keys()].map(one),
    truth !== null && h("p", { class: "muted" }, "● is truly flipped, ○ is not"),
  );
}
