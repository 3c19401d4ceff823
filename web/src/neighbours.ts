// What a check of a bicycle code reads, on its torus, with the sizes of the learnt weights; a surface code's beside it.

import { dataOf, moved, position, readsChecks, readsData, sees, terms, type Bicycle, type Read } from "./bicycle.ts";
import { colour } from "./colours.ts";
import { byId, choice, h, many, slider, svg } from "./dom.ts";
import { BICYCLES, STEPS, type State, type Store } from "./state.ts";
import { ROUNDS, UNIT, scale, surfaceKernel, type Surface } from "./surface_kernel.ts";

/** As src/cascade_qec/page/kernels.py writes it. */
interface Kernels {
  bicycles: Bicycle[];
  surface: Surface;
}

const TITLES = { both: "All that it sees", data: "Its data qubits", checks: "Their checks" };

export async function neighbours(store: Store): Promise<void> {
  const answer = await fetch(new URL("kernels.json", document.baseURI));
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  new Neighbours((await answer.json()) as Kernels, store);
}

type Of = "check" | "qubit";

interface Place {
  of: Of;
  number: number;
}

/** What is shown: a picked check, who reads, and what is read. */
interface Shown {
  code: Bicycle;
  check: number;
  /** The data qubit that reads; -1 where it is the check. */
  qubit: number;
  of: Of;
  read: Read;
  block: number;
  most: number;
}

class Neighbours {
  private readonly kernels: Kernels;
  private readonly store: Store;
  private readonly block = slider("Block", "block", 1, 1, (block) => this.store.change({ block }));
  private readonly ways = h("div");
  private readonly facts = h("p", { class: "muted" });
  private readonly about = h("p", { class: "about", role: "status" });
  private readonly maps = h("div", {
    class: "maps",
    tabindex: 0,
    role: "group",
    "aria-label": "Checks on the torus. Arrow keys go from check to check, space changes between X and Z.",
    onkeydown: (event: KeyboardEvent) => this.key(event),
    onmouseleave: () => (this.about.textContent = this.says()),
  });
  private readonly numbers = h("div");
  private shown!: Shown;

  constructor(kernels: Kernels, store: Store) {
    this.kernels = kernels;
    this.store = store;
    const { kernel, step } = store.state;
    byId("kernel-controls").replaceChildren(
      choice(
        "Code",
        BICYCLES.map((name) => [name, name]),
        kernel,
        (kernel) => store.change({ kernel }),
      ),
      choice(
        "What is shown",
        STEPS.map((each) => [each, TITLES[each]]),
        step,
        (step) => store.change({ step }),
      ),
      this.ways,
      this.block.element,
    );
    byId("kernel-torus").replaceChildren(this.facts, this.about, this.maps, this.numbers);
    store.listen((state, changed) => {
      if (["kernel", "check", "step", "via", "block"].some((name) => changed.has(name as keyof State)))
        this.update(state);
    });
    this.update(store.state);
  }

  private update(state: State): void {
    const code = this.kernels.bicycles.find(({ name }) => name === state.kernel)!;
    const check = state.check < code.n ? state.check : 0;
    const qubit = state.step === "checks" ? dataOf(code, check)[state.via] : -1;
    const block = Math.min(state.block, code.sizes?.length ?? 1) - 1;
    const read =
      qubit >= 0
        ? readsChecks(code, qubit, block)
        : state.step === "data"
          ? readsData(code, check, block)
          : sees(code, check, block);
    const most = Math.max(...[...read.values()].flat());
    this.shown = { code, check, qubit, of: state.step === "data" ? "qubit" : "check", read, block, most };
    for (const input of byId("kernel-controls").querySelectorAll<HTMLInputElement>("input[type=radio]"))
      input.checked = [state.kernel, state.step].some((picked) => picked === input.value);
    this.ways.replaceChildren(...(qubit >= 0 ? [this.way(code, state.via)] : []));
    this.block.element.hidden = !code.sizes;
    this.block.input.max = String(code.sizes?.length ?? 1);
    this.block.show(block + 1, `${block + 1} of ${code.sizes?.length ?? 1}`);
    const polynomial = (of: "A" | "B") => `${of} = ${terms(code, of).join(" + ")}`;
    this.facts.textContent =
      `${code.name}, [[${code.n}, ${code.k}, ${code.d}]], on a torus of ${code.l} by ${code.m}: ` +
      `${polynomial("A")} and ${polynomial("B")}.`;
    this.about.textContent = this.says();
    this.maps.classList.toggle("long", code.l > 2 * code.m);
    this.maps.replaceChildren(...ROUNDS.map((caption, time) => this.map(caption, time)));
    this.numbers.replaceChildren(this.legend(code, most), this.table());
    byId("kernel-surface").replaceChildren(...surfaceKernel(this.kernels.surface, block));
  }

  private way(code: Bicycle, via: number): HTMLElement {
    const options = (["A", "B"] as const)
      .flatMap((of) => terms(code, of).map((term) => `${term} of ${of}`))
      .map((says, relation): [string, string] => [String(relation), says]);
    return choice("Which of its data qubits, by the term that leads there", options, String(via), (picked) =>
      this.store.change({ via: Number(picked) }),
    );
  }

  private says(): string {
    const { code, check, qubit, of, read } = this.shown;
    const places = [...read.values()].flat().filter(Boolean).length;
    const picked = this.name("check", check);
    if (qubit >= 0)
      return (
        `First step: ${this.name("qubit", qubit)}, a neighbour of ${picked}, reads ${many(read.size, "check")} in its ` +
        `own round and the next, ${many(places, "place")} in all.`
      );
    if (of === "qubit")
      return (
        `Second step: ${picked} reads ${many(read.size, "data qubit")} in its own round and the one before, ` +
        `${many(places, "place")} in all.`
      );
    const same = [...read.keys()].filter((other) => other < code.n / 2 === check < code.n / 2).length;
    return (
      `${picked} sees ${many(read.size, "check")}: itself, ${same - 1} of its own kind and ${read.size - same} of the ` +
      `other. In three rounds these are ${many(places, "place")}.`
    );
  }

  private name(of: Of, number: number): string {
    const half = this.shown.code.n / 2;
    if (of === "qubit") return `data qubit ${number + 1}`;
    return `${number < half ? "X" : "Z"} check ${(number % half) + 1}`;
  }

  private map(caption: string, time: number): HTMLElement {
    const { code, check, qubit } = this.shown;
    const [width, height] = [code.l + 0.3, code.m + 0.3].map((size) => size * UNIT);
    const numbers = [...Array(code.n).keys()];
    const origin = -0.4 * UNIT;
    const same = time === 1;
    const drawing = svg(
      "svg",
      { viewBox: `${origin} ${origin} ${width} ${height}`, "aria-hidden": "true" },
      svg("rect", { class: "seam", x: origin + 2, y: origin + 2, width: width - 4, height: height - 4, rx: 4 }),
      ...numbers.map((other) => this.mark("qubit", other, time, same && other === qubit)),
      ...numbers.map((other) => this.mark("check", other, time, same && other === check)),
    );
    const places = (["check", "qubit"] as const).flatMap((of) =>
      numbers.map((number) => ({ of, number, at: position(code, of, number) })),
    );
    /** Fingers are wider than marks: what is meant is what is nearest. */
    const nearest = (event: MouseEvent) => {
      const box = drawing.getBoundingClientRect();
      const unit = box.width / width;
      const [x, y] = [(event.clientX - box.left) / unit + origin, (event.clientY - box.top) / unit + origin];
      const away = places.map(({ at }) => Math.hypot(at[0] * UNIT - x, at[1] * UNIT - y));
      return places[away.indexOf(Math.min(...away))];
    };
    drawing.addEventListener("mousemove", (event) => (this.about.textContent = this.tells(nearest(event), time)));
    drawing.addEventListener("click", (event) => this.pick(nearest(event)));
    return h("figure", {}, drawing, h("figcaption", {}, caption));
  }

  private size(of: Of, number: number, time: number): number {
    return of === this.shown.of ? (this.shown.read.get(number)?.[time] ?? 0) : 0;
  }

  private mark(of: Of, number: number, time: number, picked: boolean): SVGElement {
    const { code } = this.shown;
    const size = this.size(of, number, time);
    const [x, y] = position(code, of, number).map((at) => at * UNIT);
    const kind = of === "qubit" ? "datum" : number < code.n / 2 ? "x" : "z";
    const r = (of === "qubit" ? 2 : 3) + (size || picked ? 2.7 : 0);
    const fill = size && code.sizes ? colour(size / this.shown.most, "sequential") : null;
    const attributes = { fill, class: `place ${kind}${size ? " read" : ""}${picked ? " picked" : ""}` };
    return of === "qubit"
      ? svg("circle", { ...attributes, cx: x, cy: y, r })
      : svg("rect", { ...attributes, x: x - r, y: y - r, width: 2 * r, height: 2 * r, rx: r / 3 });
  }

  private tells({ of, number }: Place, time: number): string {
    const size = this.size(of, number, time);
    const says = !size ? "not read" : this.shown.code.sizes ? size.toFixed(3) : "read";
    return `${this.name(of, number)} in ${ROUNDS[time]}: ${says}.`;
  }

  private pick({ of, number }: Place): void {
    if (of === "check") this.store.change({ check: number });
    else {
      const via = dataOf(this.shown.code, this.shown.check).indexOf(number);
      if (via >= 0) this.store.change({ via, step: "checks" });
    }
  }

  private legend(code: Bicycle, most: number): HTMLElement {
    if (!code.model)
      return h(
        "p",
        { class: "muted" },
        `No model of ${code.name} is shipped yet: there are no learnt weights to show.`,
      );
    const what = this.store.state.step === "both" ? "size of both steps’ weights, multiplied" : "size of the weights";
    return scale(`${what}, ${code.model}`, most);
  }

  /** The same as numbers. */
  private table(): HTMLElement {
    const { code, of, read } = this.shown;
    const cell = (size: number) => h("td", {}, size ? (code.sizes ? size.toFixed(3) : "read") : "");
    const rows = [...read].map(([number, sizes]) =>
      h("tr", {}, h("th", { scope: "row" }, this.name(of, number)), ...sizes.map(cell)),
    );
    return h(
      "details",
      { open: this.numbers.querySelector("details")?.open ?? false },
      h("summary", {}, "As numbers"),
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h("tr", {}, h("th", { scope: "col" }, "place"), ...ROUNDS.map((r) => h("th", { scope: "col" }, r))),
        ),
        h("tbody", {}, ...rows),
      ),
    );
  }

  private key(event: KeyboardEvent): void {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { code, check } = this.shown;
    const half = code.n / 2;
    if (way) {
      const kind = check < half ? 0 : half;
      this.store.change({ check: kind + moved(code, check % half, way as [number, number], 1) });
    } else if (event.key === " ") this.store.change({ check: (check + half) % code.n });
    else return;
    event.preventDefault();
  }
}
