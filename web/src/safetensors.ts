// Reads a safetensors file: eight bytes with the length of a header in JSON, the header, and the arrays behind it.

type Typed = Float32Array | Int32Array | Int16Array | Uint16Array | Uint8Array;

const TYPES = { F32: Float32Array, I32: Int32Array, I16: Int16Array, U16: Uint16Array, U8: Uint8Array } as const;

interface Tensor<T extends Typed = Typed> {
  shape: number[];
  data: T;
}

export class Tensors {
  readonly page: unknown; // what the file says beside its arrays
  private readonly tensors = new Map<string, Tensor>();

  constructor(file: ArrayBuffer) {
    const length = Number(new DataView(file).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 8, length)));
    this.page = JSON.parse(header.__metadata__.page);
    delete header.__metadata__;
    for (const [name, { dtype, shape, data_offsets }] of Object.entries<any>(header)) {
      const type = TYPES[dtype as keyof typeof TYPES];
      const size = (data_offsets[1] - data_offsets[0]) / type.BYTES_PER_ELEMENT;
      this.tensors.set(name, { shape, data: new type(file, 8 + length + data_offsets[0], size) });
    }
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  tensor<T extends Typed>(name: string): Tensor<T> {
    const found = this.tensors.get(name);
    if (!found) throw new Error(`expected an array ${name} in the model's file`);
    return found as Tensor<T>;
  }

  data<T extends Typed>(name: string): T {
    return this.tensor<T>(name).data;
  }
}
