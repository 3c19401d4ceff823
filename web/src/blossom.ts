// Edmonds' blossom algorithm, O(n^3): the matching of greatest weight in a graph. It need not be perfect.
//
// Vertices are 1 to n; blossoms are numbered from n + 1 on, and 0 is nobody. A vertex or outermost blossom is a node of
// a forest that grows from unmatched nodes: even (0) or odd (1) by its depth, or outside (-1). `label` are the dual
// variables. Weights are integers, so that tight edges are known as such.

interface Edge {
  u: number;
  v: number;
  w: number;
}

/** The partner of each vertex, from 0 on; -1 for none. Weights are integers; edges of no positive weight are none. */
export function heaviestMatching(n: number, weight: (u: number, v: number) => number): Int32Array {
  return new Blossoms(n, weight).matched();
}

class Blossoms {
  private readonly n: number;
  private last: number; // the last node that there is
  private readonly edge: Edge[][];
  private readonly label: number[];
  private readonly match: number[];
  private readonly slack: number[];
  private readonly top: number[]; // the outermost blossom of each node, 0 of one that is not there
  private readonly parent: number[];
  private readonly within: number[][]; // within[b][x]: the node of blossom b that has vertex x
  private readonly depth: number[];
  private readonly seen: number[];
  private readonly petals: number[][];
  private queue: number[] = [];
  private search = 0;

  constructor(n: number, weight: (u: number, v: number) => number) {
    const size = 2 * n + 1;
    const zeros = () => Array<number>(size).fill(0);
    this.n = this.last = n;
    this.edge = Array.from({ length: size }, (_, u) =>
      Array.from({ length: size }, (_, v) => ({
        u,
        v,
        w: u && v && u !== v && u <= n && v <= n ? 2 * Math.max(0, weight(u - 1, v - 1)) : 0,
      })),
    );
    const most = Math.max(0, ...this.edge.flat().map((edge) => edge.w));
    this.label = zeros().map((_, u) => (u && u <= n ? most : 0));
    [this.match, this.slack, this.parent, this.depth, this.seen] = [zeros(), zeros(), zeros(), zeros(), zeros()];
    this.top = zeros().map((_, u) => (u <= n ? u : 0));
    this.within = Array.from({ length: size }, (_, b) => zeros().map((_, x) => (b === x ? x : 0)));
    this.petals = Array.from({ length: size }, () => []);
  }

  matched(): Int32Array {
    while (this.augmented());
    return Int32Array.from({ length: this.n }, (_, u) => this.match[u + 1] - 1);
  }

  private reduced({ u, v }: Edge): number {
    return this.label[u] + this.label[v] - 2 * this.edge[u][v].w;
  }

  private offer(u: number, x: number): void {
    if (!this.slack[x] || this.reduced(this.edge[u][x]) < this.reduced(this.edge[this.slack[x]][x])) this.slack[x] = u;
  }

  private findSlack(x: number): void {
    this.slack[x] = 0;
    for (let u = 1; u <= this.n; u++) {
      if (this.edge[u][x].w > 0 && this.top[u] !== x && this.depth[this.top[u]] === 0) this.offer(u, x);
    }
  }

  private push(x: number): void {
    if (x <= this.n) this.queue.push(x);
    else for (const petal of this.petals[x]) this.push(petal);
  }

  private place(x: number, blossom: number): void {
    this.top[x] = blossom;
    if (x > this.n) for (const petal of this.petals[x]) this.place(petal, blossom);
  }

  /** How far a petal is from the base, going round so that it is even. */
  private stepsTo(blossom: number, petal: number): number {
    const petals = this.petals[blossom];
    const at = petals.indexOf(petal);
    if (at % 2 === 0) return at;
    petals.push(...petals.splice(1).reverse());
    return petals.length - at;
  }

  private join(u: number, v: number): void {
    const edge = this.edge[u][v];
    this.match[u] = edge.v;
    if (u <= this.n) return;
    const petals = this.petals[u];
    const base = this.within[u][edge.u];
    const steps = this.stepsTo(u, base);
    for (let i = 0; i < steps; i++) this.join(petals[i], petals[i ^ 1]);
    this.join(base, v);
    petals.push(...petals.splice(0, steps));
  }

  private augment(u: number, v: number): void {
    for (;;) {
      const next = this.top[this.match[u]];
      this.join(u, v);
      if (!next) return;
      this.join(next, this.top[this.parent[next]]);
      [u, v] = [this.top[this.parent[next]], next];
    }
  }

  private ancestor(u: number, v: number): number {
    this.search++;
    for (; u || v; [u, v] = [v, u]) {
      if (!u) continue;
      if (this.seen[u] === this.search) return u;
      this.seen[u] = this.search;
      u = this.top[this.match[u]];
      if (u) u = this.top[this.parent[u]];
    }
    return 0;
  }

  private shrink(u: number, base: number, v: number): void {
    let b = this.n + 1;
    while (b <= this.last && this.top[b]) b++;
    if (b > this.last) this.last++;
    this.label[b] = this.depth[b] = 0;
    this.match[b] = this.match[base];
    const petals = (this.petals[b] = [base]);
    const climb = (from: number) => {
      for (let x = from; x !== base;) {
        const y = this.top[this.match[x]];
        petals.push(x, y);
        this.push(y);
        x = this.top[this.parent[y]];
      }
    };
    climb(u);
    petals.push(...petals.splice(1).reverse());
    climb(v);
    this.place(b, b);
    for (let x = 1; x <= this.last; x++) {
      this.edge[b][x] = { u: b, v: x, w: 0 };
      this.edge[x][b] = { u: x, v: b, w: 0 };
    }
    this.within[b].fill(0);
    for (const petal of petals) {
      for (let x = 1; x <= this.last; x++) {
        if (!this.edge[b][x].w || this.reduced(this.edge[petal][x]) < this.reduced(this.edge[b][x])) {
          this.edge[b][x] = this.edge[petal][x];
          this.edge[x][b] = this.edge[x][petal];
        }
      }
      for (let x = 1; x <= this.n; x++) if (this.within[petal][x]) this.within[b][x] = petal;
    }
    this.findSlack(b);
  }

  private expand(b: number): void {
    const petals = this.petals[b];
    for (const petal of petals) this.place(petal, petal);
    const base = this.within[b][this.edge[b][this.parent[b]].u];
    const steps = this.stepsTo(b, base);
    for (let i = 0; i < steps; i += 2) {
      const [odd, even] = [petals[i], petals[i + 1]];
      this.parent[odd] = this.edge[even][odd].u;
      this.depth[odd] = 1;
      this.depth[even] = this.slack[odd] = 0;
      this.findSlack(even);
      this.push(even);
    }
    this.depth[base] = 1;
    this.parent[base] = this.parent[b];
    for (const petal of petals.slice(steps + 1)) {
      this.depth[petal] = -1;
      this.findSlack(petal);
    }
    this.top[b] = 0;
  }

  /** Take a tight edge; whether it led to another unmatched node. */
  private took(edge: Edge): boolean {
    const u = this.top[edge.u];
    const v = this.top[edge.v];
    if (this.depth[v] === -1) {
      this.parent[v] = edge.u;
      this.depth[v] = 1;
      const next = this.top[this.match[v]];
      this.slack[v] = this.slack[next] = this.depth[next] = 0;
      this.push(next);
    } else if (this.depth[v] === 0) {
      const base = this.ancestor(u, v);
      if (!base) {
        this.augment(u, v);
        this.augment(v, u);
        return true;
      }
      this.shrink(u, base, v);
    }
    return false;
  }

  private outermost(from: number): number[] {
    const found = [];
    for (let x = from; x <= this.last; x++) if (this.top[x] === x) found.push(x);
    return found;
  }

  /** One more pair, or no more to be had. */
  private augmented(): boolean {
    this.depth.fill(-1);
    this.slack.fill(0);
    this.queue = [];
    for (const x of this.outermost(1)) {
      if (this.match[x]) continue;
      this.parent[x] = this.depth[x] = 0;
      this.push(x);
    }
    if (!this.queue.length) return false;
    for (;;) {
      for (let u = this.queue.shift(); u !== undefined; u = this.queue.shift()) {
        if (this.depth[this.top[u]] === 1) continue;
        for (let v = 1; v <= this.n; v++) {
          const edge = this.edge[u][v];
          if (!edge.w || this.top[u] === this.top[v]) continue;
          if (this.reduced(edge) > 0) this.offer(u, this.top[v]);
          else if (this.took(edge)) return true;
        }
      }
      let by = Infinity;
      for (const b of this.outermost(this.n + 1)) if (this.depth[b] === 1) by = Math.min(by, this.label[b] / 2);
      for (const x of this.outermost(1)) {
        if (!this.slack[x] || this.depth[x] === 1) continue;
        const gap = this.reduced(this.edge[this.slack[x]][x]);
        by = Math.min(by, this.depth[x] === 0 ? gap / 2 : gap);
      }
      for (let u = 1; u <= this.n; u++) {
        const depth = this.depth[this.top[u]];
        if (depth === 0 && this.label[u] <= by) return false; // it gains nothing by being matched
        if (depth >= 0) this.label[u] += depth === 0 ? -by : by;
      }
      for (const b of this.outermost(this.n + 1)) {
        if (this.depth[b] >= 0) this.label[b] += this.depth[b] === 0 ? 2 * by : -2 * by;
      }
      for (const x of this.outermost(1)) {
        const from = this.slack[x];
        if (from && this.top[from] !== x && this.reduced(this.edge[from][x]) === 0 && this.took(this.edge[from][x]))
          return true;
      }
      for (const b of this.outermost(this.n + 1)) if (this.depth[b] === 1 && this.label[b] === 0) this.expand(b);
    }
  }
}
