import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./module.mjs";

const { decimals, fetchBars } = await load("bars.ts");
const bar = (close) => ({ start: "2026-04-13", open: close, high: close, low: close, close });

test("decimals are those of the longest price", () => {
  assert.equal(decimals([bar(1.17), bar(1.1684)]), 4);
  assert.equal(decimals([bar(61000)]), 0);
  assert.equal(decimals([bar(1.5e-7)]), 8);
  assert.equal(decimals([]), 0);
});

test("bars are fetched page by page", async (t) => {
  const pages = [
    { bars: [bar(1)], next: "c1" },
    { bars: [bar(2)], next: null },
  ];
  const asked = [];
  t.mock.method(globalThis, "fetch", async (url) => {
    asked.push(url);
    return Response.json(pages.shift());
  });
  const bars = await fetchBars("BTC-USD", "adjustment=split&interval=1h", "2026-01-01", new AbortController().signal);
  assert.deepEqual(bars, [bar(1), bar(2)]);
  assert.deepEqual(asked, [
    "/api/v1/bars/BTC-USD?adjustment=split&interval=1h&from=2026-01-01&limit=10000",
    "/api/v1/bars/BTC-USD?adjustment=split&interval=1h&from=2026-01-01&limit=10000&cursor=c1",
  ]);
});

test("an answer that is an error is one", async (t) => {
  t.mock.method(globalThis, "fetch", async () => new Response("", { status: 503 }));
  await assert.rejects(fetchBars("EURUSD", "interval=1d", "2026-01-01", new AbortController().signal), /503/);
});
