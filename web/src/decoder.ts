// Asks the worker.

import type { Asked } from "./worker.ts";

export class Decoder {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  private number = 0;

  constructor() {
    this.worker.addEventListener("message", ({ data: { number, answer, error } }) => {
      const who = this.waiting.get(number);
      this.waiting.delete(number);
      if (error !== undefined) who?.reject(new Error(error));
      else who?.resolve(answer as never);
    });
  }

  static async opened(file: ArrayBuffer): Promise<Decoder> {
    const decoder = new Decoder();
    await decoder.ask("open", { file });
    return decoder;
  }

  ask<K extends keyof Asked>(name: K, ask: Asked[K]["ask"]): Promise<Asked[K]["answer"]> {
    const number = this.number++;
    this.worker.postMessage({ number, name, ask });
    return new Promise((resolve, reject) => this.waiting.set(number, { resolve, reject }));
  }

  close(): void {
    this.worker.terminate();
  }
}
