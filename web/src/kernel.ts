// The inner loops of the network, over numbers in one memory; addresses and lengths are in bytes.

export interface Kernel {
  /**
   * y[0..outputs) += sum over pairs of x[0..inputs) times a matrix w. The list has a pair of offsets for each product,
   * to be added to `x` and `w`: one for each neighbour that a convolution reads, or one alone. Outputs come in
   * sixteens.
   */
  accumulate(x: number, w: number, y: number, list: number, end: number, inputs: number, outputs: number): void;
  /** y / (1 + exp(-y)) for all numbers from `y` to `end`, in fours. */
  silu(y: number, end: number): void;
}

/** The loops as they read; what `vectors` is tested against, and what runs where a browser lacks them. */
export function plain(memory: WebAssembly.Memory): Kernel {
  const floats = new Float32Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  return {
    accumulate(x, w, y, list, end, inputs, outputs) {
      for (let pair = list / 4; pair < end / 4; pair += 2) {
        const from = (x + ints[pair]) / 4;
        const matrix = (w + ints[pair + 1]) / 4;
        for (let i = 0; i < inputs / 4; i++) {
          const value = floats[from + i];
          const row = matrix + (i * outputs) / 4;
          for (let o = 0; o < outputs / 4; o++) floats[y / 4 + o] += value * floats[row + o];
        }
      }
    },
    silu(y, end) {
      for (let i = y / 4; i < end / 4; i++) floats[i] /= 1 + Math.exp(-floats[i]);
    },
  };
}

/** The same in WebAssembly with vectors of four: sixteen sums stay in registers while all pairs are read. */
export function vectors(memory: WebAssembly.Memory): Kernel {
  const module = new WebAssembly.Module(assembled());
  return new WebAssembly.Instance(module, { page: { memory } }).exports as unknown as Kernel;
}

export function fastest(memory: WebAssembly.Memory): Kernel {
  return WebAssembly.validate(assembled()) ? vectors(memory) : plain(memory);
}

// What follows writes the module byte by byte (https://webassembly.github.io/spec/core/binary): for two loops nobody
// needs a compiler.

const I32 = 0x7f;
const V128 = 0x7b;
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const tee = (local: number) => [0x22, local];
const integer = (value: number) => [0x41, ...signed(value)];
const add = [0x6a];
const below = [0x49];
const atLeast = [0x4f];
const end = [0x0b];
const loadInt = (offset: number) => [0x28, 2, offset];
const vector = (operation: number) => [0xfd, ...unsigned(operation)];
const load = (offset: number) => [...vector(0x00), 2, offset];
const loadSplat = [...vector(0x09), 2, 0];
const store = (offset: number) => [...vector(0x0b), 2, offset];
const [nearest, addInts, shiftLeft, truncated] = [0x6a, 0xae, 0xab, 0xf8].map(vector);
const [sum, difference, product, quotient, least, greatest] = [0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9].map(vector);
const floats = (value: number) => [0x43, ...new Uint8Array(new Float32Array([value]).buffer), ...vector(0x13)];
const loop = [0x03, 0x40];
const block = [0x02, 0x40];
const branchIf = (depth: number) => [0x0d, depth];
const step = (local: number, by: number[]) => [...get(local), ...by, ...add, ...set(local)];
const whileBelow = (local: number, limit: number) => [...get(local), ...get(limit), ...below, ...branchIf(0)];

function accumulate(): number[] {
  const [x, w, y, list, last, inputs, outputs, sixteen, pair, from, stop, matrix] = Array(12).keys();
  const sums = [12, 13, 14, 15];
  const value = 16;
  // prettier-ignore
  return [
    2, 5, I32, 5, V128,
    ...loop, // over sixteens of outputs
    ...sums.flatMap((each, i) => [...get(y), ...get(sixteen), ...add, ...load(16 * i), ...set(each)]),
    ...get(list), ...set(pair),
    ...block,
    ...get(pair), ...get(last), ...atLeast, ...branchIf(0),
    ...loop, // over pairs
    ...get(x), ...get(pair), ...loadInt(0), ...add, ...set(from),
    ...get(w), ...get(pair), ...loadInt(4), ...add, ...get(sixteen), ...add, ...set(matrix),
    ...get(from), ...get(inputs), ...add, ...set(stop),
    ...loop, // over inputs
    ...get(from), ...loadSplat, ...set(value),
    ...sums.flatMap((each, i) => [
      ...get(each), ...get(value), ...get(matrix), ...load(16 * i), ...product, ...sum, ...set(each),
    ]),
    ...step(from, integer(4)), ...step(matrix, get(outputs)),
    ...whileBelow(from, stop), ...end,
    ...step(pair, integer(8)),
    ...whileBelow(pair, last), ...end,
    ...end,
    ...sums.flatMap((each, i) => [...get(y), ...get(sixteen), ...add, ...get(each), ...store(16 * i)]),
    ...step(sixteen, integer(64)),
    ...whileBelow(sixteen, outputs), ...end,
    ...end,
  ];
}

/** exp(-y) is 2^t: the nearest integer goes into the exponent's bits, and a polynomial has the rest. */
function silu(): number[] {
  const [y, last, value, t, whole] = Array(5).keys();
  const terms = [0, 1, 2, 3, 4, 5, 6].map((k) => Math.LN2 ** k / [1, 1, 2, 6, 24, 120, 720][k]);
  // prettier-ignore
  return [
    1, 3, V128,
    ...loop,
    ...get(y), ...load(0), ...tee(value),
    ...floats(-Math.LOG2E), ...product, ...floats(-126), ...greatest, ...floats(126), ...least, ...tee(t),
    ...nearest, ...set(whole), ...get(t), ...get(whole), ...difference, ...set(t),
    ...floats(terms[6]),
    ...terms.slice(0, 6).reverse().flatMap((term) => [...get(t), ...product, ...floats(term), ...sum]),
    ...get(whole), ...truncated, ...integer(127), ...vector(0x11), ...addInts, ...integer(23), ...shiftLeft, ...product,
    ...floats(1), ...sum, ...set(t),
    ...get(y), ...get(value), ...get(t), ...quotient, ...store(0),
    ...step(y, integer(16)),
    ...whileBelow(y, last), ...end,
    ...end,
  ];
}

function assembled(): Uint8Array<ArrayBuffer> {
  const functions = [accumulate(), silu()];
  const names = ["accumulate", "silu"];
  const parameters = [7, 2];
  return new Uint8Array([
    0x00,
    0x61,
    0x73,
    0x6d,
    1,
    0,
    0,
    0,
    ...section(
      1,
      parameters.map((many) => [0x60, many, ...Array(many).fill(I32), 0]),
    ),
    ...section(2, [[...named("page"), ...named("memory"), 0x02, 0x00, 1]]),
    ...section(
      3,
      functions.map((_, i) => [i]),
    ),
    ...section(
      7,
      names.map((name, i) => [...named(name), 0x00, i]),
    ),
    ...section(
      10,
      functions.map((code) => [...unsigned(code.length), ...code]),
    ),
  ]);
}

function section(id: number, entries: number[][]): number[] {
  const content = [entries.length, ...entries.flat()];
  return [id, ...unsigned(content.length), ...content];
}

function named(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];
}

function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  return (rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40) ? [low] : [low | 0x80, ...signed(rest)];
}
