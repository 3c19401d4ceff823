import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

// Names without hashes: what is built lies in the repository, and a change should show as one.
const names = { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" };

/** Notes what was built from, so that a test without Node.js can tell when it should be built again. */
function sources(): Plugin {
  const files = [
    "index.html",
    "vite.config.ts",
    "package-lock.json",
    ...readdirSync("src")
      .sort()
      .map((name) => `src/${name}`),
  ];
  const hash = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");
  return {
    name: "sources",
    generateBundle() {
      const source = `${JSON.stringify(Object.fromEntries(files.map((file) => [file, hash(file)])), null, 1)}\n`;
      this.emitFile({ type: "asset", fileName: "sources.json", source });
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [sources()],
  build: {
    outDir: "../src/cascade_qec/page/built",
    emptyOutDir: true,
    modulePreload: false,
    rollupOptions: { output: names },
  },
  worker: { format: "es", rollupOptions: { output: names } },
  // npm run dev, beside `cascade page --no_open`
  server: {
    proxy: Object.fromEntries(
      ["/models", "/results.json", "/kernels.json"].map((path) => [path, "http://127.0.0.1:8342"]),
    ),
  },
});
