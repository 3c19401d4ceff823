// The page of a workflow at work, in Chromium. tests/calibration/test_page_in_browser.py serves it and runs this.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";

const ADDRESS = process.env.CASCADE_PAGE_ADDRESS!;
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];

let browser: Browser, page: Page;
const troubles: string[] = [];

before(async () => {
  browser = await chromium.launch({
    executablePath: process.env.CASCADE_CHROMIUM,
    args: [...FLAGS, "--disable-component-update", "--disable-sync"],
  });
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(60_000);
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  await page.goto(ADDRESS);
  await page.waitForSelector(".field input");
});

after(async () => browser?.close());

const idle = () => page.waitForFunction(() => !document.getElementById("busy")!.textContent);
const runs = (count: number) =>
  page.waitForFunction((count) => document.querySelectorAll("#history tr").length === count, count);

test("the token leaves the address bar", () => assert.ok(!page.url().includes("#")));

test("what is out of bounds is refused, in words, and nothing is run", async () => {
  await page.fill("#p-shots", "1e9");
  await page.click("#approve");
  await page.waitForSelector("#problem:not([hidden])");
  assert.match(await page.innerText("#problem"), /shots: expected a value from/);
  assert.equal(await page.locator("#history tr").count(), 0);
});

test("an approved step shows its fit, its verdict and what comes next", async () => {
  await page.fill("#p-shots", "1000");
  await page.click("#approve");
  await page.waitForSelector("#measurement svg .fit");
  await idle();
  assert.ok((await page.locator("#measurement svg .data").count()) > 50);
  assert.match(await page.innerText("#measurement"), /SUCCESS/);
  assert.match(await page.innerText("#proposal"), /again of q0/);
  assert.ok(await page.isHidden("#problem"));
});

test("a model's words are shown as text, and its values go into the fields for a person to approve", async () => {
  await page.click("#explain");
  await page.waitForSelector("#explanation blockquote");
  assert.match(await page.innerText("#explanation"), /<img src=x>/);
  assert.equal(await page.locator("img").count(), 0);
  await page.click("#explanation button");
  assert.equal(await page.inputValue("#p-shots"), "2000");
  assert.equal(await page.locator("#history tr").count(), 1);
  await page.click("#approve");
  await runs(2);
  await idle();
  assert.match(await page.innerText("#proposal"), /The run has ended/);
  assert.ok(await page.isDisabled("#approve"));
});

test("the history shows earlier measurements, the log who approved them", async () => {
  await page.click("#history tr:last-child");
  await page.waitForFunction(() => document.getElementById("measurement")!.innerText.startsWith("Run 1"));
  await page.click("#past summary");
  assert.match(await page.innerText("#log"), /page, as test:replies suggested/);
});

test("it fits a narrow screen", async () => {
  await page.setViewportSize({ width: 390, height: 844 });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
});

test("nothing went wrong on the way", () => {
  // the refused change is a 409, which browsers note
  assert.deepEqual(
    troubles.filter((one) => !one.includes("409")),
    [],
  );
});
