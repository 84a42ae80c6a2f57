import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { startBourse } from "./bourse.mjs";
import { executable, launch } from "./chromium.mjs";
import { startCoinbase, startECB } from "./upstream.mjs";
import { checkPage, newPage } from "./watch.mjs";

const chromium = executable();
const elsewhere = process.env.BOURSE_TEST_URL ? "BOURSE_TEST_URL is set" : false;
const skip = chromium ? false : "no Chromium: set BOURSE_TEST_CHROMIUM or install chromium";

const views = {
  light: { colorScheme: "light", viewport: { width: 1200, height: 800 } },
  dark: { colorScheme: "dark", viewport: { width: 1200, height: 800 } },
  phone: { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

describe("the dashboard", { skip }, () => {
  const started = [];
  let browser;
  let base;
  let bourse; // none where a server that runs elsewhere is tested

  before(async () => {
    browser = await launch(chromium);
    started.push({ stop: () => browser.close() });
    base = process.env.BOURSE_TEST_URL;
    if (base) return;
    const [ecb, coinbase] = [await startECB(), await startCoinbase()];
    started.push(ecb, coinbase);
    bourse = await startBourse({ ecbURL: ecb.url, coinbaseURL: coinbase.url, simulated: false });
    started.push(bourse);
    base = bourse.url;
  });
  after(async () => {
    for (const each of started.reverse()) await each.stop();
  });

  // opened runs steps in a page of its own and checks it after them.
  async function opened(view, path, steps) {
    const context = await browser.newContext({ ...view, baseURL: base });
    try {
      const watched = await newPage(context);
      await watched.page.goto(path);
      await steps(watched.page, watched);
      await checkPage(watched);
    } finally {
      await context.close();
    }
  }

  for (const [name, view] of Object.entries(views)) {
    describe(name, () => {
      test("the overview lists rates, is live, and filters", () => opened(view, "/", filterRates));
      test("an instrument's chart changes its range in place", () => opened(view, "/instruments/EURUSD", switchRange));
      test("a value leads to the bytes it was read from", () => opened(view, "/instruments/EURUSD", followLineage));
      test("the converter converts while one types", () => opened(view, "/convert?from=USD&to=JPY&amount=100", convert));
      test("the status shows sources and runs", () => opened(view, "/status", readStatus));
      test("a key opens internal series until it is taken back", { skip: elsewhere }, async () => {
        const key = await bourse.bourse("key", "create", "-name", "browser");
        await opened(view, "/", (page, watched) => useKey(page, watched, key.secret));
        await opened(view, "/sign-in", (page, watched) => loseKey(page, watched, key, bourse));
      });
    });
  }

  test("new bars change the rates in place", () => opened(views.light, "about:blank", seeNewBars));

  test("everything is there without scripts", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, baseURL: base });
    const page = await context.newPage();
    await page.goto("/");
    assert.ok((await page.locator("tr[data-row]").count()) > 3);
    await page.click("a[href='/instruments/EURUSD']");
    assert.equal(await page.locator("#chart path.line").count(), 1);
    await page.click("text=5Y");
    assert.match(page.url(), /range=5y/);
    await page.goto("/convert?from=USD&to=JPY&amount=100");
    await page.click("#swap");
    assert.match(page.url(), /from=JPY&to=USD/);
    assert.ok(await page.locator("#result").textContent());
    await context.close();
  });

  test("a page that does not exist says so", async () => {
    const context = await browser.newContext({ baseURL: base });
    const page = await context.newPage();
    assert.equal((await page.goto("/nothing-here")).status(), 404);
    assert.match(await page.locator("h1").textContent(), /no such page/);
    await context.close();
  });
});

// useKey signs in at the page that needs it, reads candles of two lengths, and signs out.
async function useKey(page, watched, secret) {
  const row = page.locator("tr[data-row=BTC-USD]");
  assert.match(await row.textContent(), /sign in/);
  await row.locator("a", { hasText: "BTC-USD" }).click();
  await expectStatus(watched, 401);
  assert.match(await page.locator("h1").textContent(), /Sign in to see BTC-USD/);
  await checkPage(watched);

  await page.fill("#key", "wrong");
  await page.click("button.main");
  await page.waitForSelector("#key[aria-invalid=true]");
  await expectStatus(watched, 401);
  await checkPage(watched);

  await page.fill("#key", secret);
  await page.click("button.main");
  await page.waitForURL("**/instruments/BTC-USD");
  await page.waitForSelector("#chart[data-drawn] canvas");
  assert.match(await page.locator(".legend").textContent(), /^\d{4}-\d\d-\d\d {2}O.*H.*L.*C.*V.*provisional$/);
  await checkPage(watched);

  await page.click("text=1 hour");
  await page.waitForURL("**/instruments/BTC-USD?interval=1h");
  await page.waitForSelector("#chart[data-drawn] canvas");
  assert.match(await page.locator(".legend").textContent(), /^\d{4}-\d\d-\d\d \d\d:00 UTC {2}O.*provisional$/);
  assert.match(await page.locator(".values tbody tr").first().textContent(), /\d\d:00\s*provisional/);
  await page.click("text=1D");
  await page.waitForURL("**/instruments/BTC-USD?interval=1h&range=1d");
  await page.waitForFunction(() => /2[45] values/.test(document.getElementById("figures").textContent));
  await page.goto("/");
  await page.waitForSelector("#live[data-state=live]");
  assert.ok(await row.locator(".value").textContent());
  await checkPage(watched);

  // No script sees the key, and no address has it.
  assert.equal(await page.evaluate(() => document.cookie), "");
  assert.ok(!(await page.content()).includes(secret));
  await page.click("text=Sign out");
  await page.waitForURL("**/");
  assert.match(await row.textContent(), /sign in/);
  assert.deepEqual(await page.context().cookies(), []);
}

// loseKey is signed in while the key is revoked.
async function loseKey(page, watched, { id, secret }, { bourse }) {
  await page.fill("#key", secret);
  await page.click("button.main");
  await page.waitForURL("**/");
  await bourse("key", "revoke", "-id", id);
  await page.goto("/instruments/BTC-USD");
  watched.problems.splice(0); // what the page that was left has asked meanwhile
  assert.match(await page.locator("main").textContent(), /no longer valid/);
  assert.deepEqual(await page.context().cookies(), []);
}

// expectStatus takes the answer that is wanted out of what has gone wrong.
async function expectStatus({ page, problems }, status) {
  await page.waitForSelector("#key");
  const wanted = problems.splice(0);
  assert.ok(wanted.length > 0, `no answer ${status}`);
  for (const problem of wanted) assert.match(problem, new RegExp(`: ${status}$|status of ${status}`));
}

async function filterRates(page) {
  await page.waitForSelector("#live[data-state=live]");
  const rows = page.locator("tr[data-row]:visible");
  assert.ok((await rows.count()) > 3);
  await page.fill("#filter", "us dollar");
  await page.waitForFunction(() => document.getElementById("matches").textContent.startsWith("1 of"));
  assert.equal(await rows.count(), 1);
  await page.fill("#filter", "");
  assert.ok((await rows.count()) > 3);
}

// seeNewBars puts itself between page and server: the stream says that there are new
// bars, and the overview that is fetched then has another value for the dollar.
async function seeNewBars(page) {
  await page.route("**/api/v1/stream", (route) =>
    route.fulfill({ contentType: "text/event-stream", body: "event: bars\nid: 1\ndata: {}\n\n" }),
  );
  const row = page.locator("tr[data-row=EURUSD]");
  await page.route("/", async (route) => {
    const response = await route.fetch();
    const html = await response.text();
    const changed = html.replace(/(data-row="EURUSD".*?class="num value">)[^<]*/s, (_, before) => `${before}99.9999`);
    await route.fulfill({ response, body: route.request().resourceType() === "fetch" ? changed : html });
  });
  await page.goto("/");
  await page.fill("#filter", "eurusd");
  await page.waitForSelector("tr[data-row=EURUSD].changed");
  assert.equal(await row.locator(".value").textContent(), "99.9999");
  assert.equal(await page.locator("tr[data-row]:visible").count(), 1, "the filter still holds");
  assert.equal(await page.locator("tr.changed").count(), 1, "only what changed is marked");
}

async function switchRange(page) {
  const chart = page.locator("#chart");
  await page.waitForSelector("#chart[data-drawn] canvas");
  const drawn = await chart.getAttribute("data-drawn");
  const figures = await page.locator("#figures").textContent();
  await page.click("text=5Y");
  const from = await page.getAttribute(".ranges a[aria-current]", "data-from");
  assert.ok(from < drawn, `${from} is not before ${drawn}`);
  await page.waitForSelector(`#chart[data-drawn="${from}"]`);
  await page.waitForFunction((old) => document.getElementById("figures").textContent !== old, figures);
  assert.match(page.url(), /\?range=5y$/);
  assert.equal(await page.locator("#chart-state").textContent(), "");
}

async function followLineage(page) {
  const row = page.locator(".values tbody tr").first();
  const value = (await row.locator(".value").textContent()).replaceAll(",", "");
  await row.locator("a").click();
  await page.waitForURL("**/lineage/EURUSD/*");
  const version = page.locator(".version").first();
  assert.equal(Number(await version.locator("h2 data").getAttribute("value")), Number(value));
  const raw = version.locator("a.raw");
  const bytes = await page.request.get(await raw.getAttribute("href"));
  assert.equal(bytes.status(), 200);
  const sum = createHash("sha256").update(await bytes.body()).digest("hex");
  assert.equal(sum, await raw.textContent());
}

async function convert(page, { problems }) {
  const result = page.locator("#result");
  const shows = async (from, to, amount) => {
    const answer = await page.request.get(`/api/v1/convert?from=${from}&to=${to}&amount=${amount}`);
    const want = String((await answer.json()).result);
    await page.waitForFunction((want) => Number(document.getElementById("result")?.getAttribute("value")) === Number(want), want);
  };
  await shows("USD", "JPY", "100");
  await page.fill("#amount", "250.5");
  await shows("USD", "JPY", "250.5");
  await page.click("#swap");
  await shows("JPY", "USD", "250.5");
  assert.match(page.url(), /from=JPY&to=USD/);
  assert.ok((await page.locator(".legs a").count()) >= 2);
  assert.deepEqual(problems, []);

  await page.fill("#amount", "a lot");
  await page.waitForSelector("#amount[aria-invalid=true]");
  assert.notEqual(await page.locator("#error-amount").textContent(), "");
  assert.equal(await result.count(), 0);
}

async function readStatus(page) {
  const source = page.locator(".source").first();
  assert.match(await source.textContent(), /Newest value.*Last run.*ok/s);
  assert.ok((await page.locator(".runs tbody tr").count()) > 0);
  assert.notEqual(await page.locator("time").first().getAttribute("title"), null);
}

describe("while no source has answered", { skip: skip || elsewhere }, () => {
  test("every page says SIMULATED", async () => {
    // Nothing listens on the discard port.
    const bourse = await startBourse({ ecbURL: "http://127.0.0.1:9", simulated: true });
    const browser = await launch(chromium);
    try {
      const watched = await newPage(await browser.newContext({ baseURL: bourse.url }));
      const { quotes } = await (await fetch(`${bourse.url}/api/v1/quotes?history=0`)).json();
      const { symbol, start } = quotes[0];
      for (const path of ["/", `/instruments/${symbol}`, `/lineage/${symbol}/${start}`, "/convert", "/status"]) {
        await watched.page.goto(path);
        assert.match(await watched.page.title(), /^SIMULATED/, path);
        assert.ok(await watched.page.locator("#notice .simulated").isVisible(), path);
        await checkPage(watched);
      }
    } finally {
      await browser.close();
      await bourse.stop();
    }
  });
});
