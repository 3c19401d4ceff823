// Times the page in Chromium, and prints what it found as JSON. workshop/studies/page_speed.py serves it and runs this.

import { chromium } from "playwright-core";
import { plain, vectors } from "../src/kernel.ts";
import { Model } from "../src/model.ts";
import { Network } from "../src/network.ts";

const DECODES = 40;

const browser = await chromium.launch({
  executablePath: process.env.CASCADE_CHROMIUM,
  args: ["--no-sandbox", "--disable-gpu"],
});
const found: { what: string; model: string; milliseconds: number[] }[] = [];

const paints: number[] = [];
for (let i = 0; i < 5; i++) {
  const page = await browser.newPage(); // with nothing in its cache
  await page.goto(process.env.CASCADE_PAGE_ADDRESS!, { waitUntil: "load" });
  const paint = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
  await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
  paints.push((await page.evaluate(paint))!);
  await page.close();
}
found.push({ what: "first paint", model: "", milliseconds: paints });

for (const model of ["surface_d3", "surface_d5", "surface_d7", "bb72"]) {
  const page = await browser.newPage();
  await page.goto(`${process.env.CASCADE_PAGE_ADDRESS}#model=${model}&faults=`);
  const milliseconds: number[] = [];
  for (let i = 0; i < DECODES; i++) {
    await page.waitForFunction(() => document.getElementById("verdict")!.innerText.includes("Decoded here"));
    await page.evaluate(() => (document.querySelector("#verdict .muted:last-child")!.textContent = ""));
    await page.click(`#sheet [aria-label^="data qubit ${1 + (i % 9)}:"]`);
    await page.waitForFunction(() => document.getElementById("verdict")!.innerText.includes("Decoded here"));
    const told = await page.innerText("#verdict");
    milliseconds.push(Number(/Decoded here in ([\d.]+) ms/.exec(told)![1]));
  }
  found.push({ what: "decode", model, milliseconds });
  await page.close();
}
await browser.close();

// What the kernel in WebAssembly is worth, in the same engine without a browser; the first calls compile.
for (const model of ["surface_d5", "bb72"]) {
  const answer = await fetch(`${process.env.CASCADE_PAGE_ADDRESS}models/${model}.safetensors`);
  const here = new Model(await answer.arrayBuffer());
  const events = Uint8Array.from({ length: here.detectors }, (_, detector) => Number(detector % 9 === 0));
  const networks = { "vectors in WebAssembly": vectors, "plain JavaScript": plain };
  for (const [what, kernel] of Object.entries(networks)) {
    const network = new Network(here, kernel);
    const times = Array.from({ length: DECODES + 5 }, () => {
      const begun = performance.now();
      network.evidence(events);
      return performance.now() - begun;
    });
    found.push({ what: `the network in ${what}, Node.js`, model, milliseconds: times.slice(5) });
  }
}
console.log(JSON.stringify(found));
