// Which sites a feature depends on: who is read by whom is read, back through the blocks.

import type { Model } from "./model.ts";

/** 1 for each site whose state can change the features of a site behind so many blocks: [sites]. */
export function receptiveField(model: Model, site: number, blocks: number): Uint8Array {
  const steps = [1, 0]
    .filter((step) => model.tensors.has(`step${step}.read`))
    .map((step) => model.tensors.tensor<Int16Array>(`step${step}.read`));
  let sites = new Set([site]);
  for (let block = 0; block < blocks; block++) {
    let read: Iterable<number> = sites;
    for (const { shape, data } of steps) {
      read = new Set(
        [...read].flatMap((one) =>
          [...data.subarray(one * shape[1], (one + 1) * shape[1])].filter((other) => other >= 0),
        ),
      );
    }
    sites = new Set([...sites, ...read]); // the residual stream keeps what was there
  }
  const field = new Uint8Array(model.tensors.data("site.fill").length);
  for (const one of sites) field[one] = 1;
  return field;
}
