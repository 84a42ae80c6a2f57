import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// newPage opens a page that remembers everything that goes wrong in it.
export async function newPage(context) {
  const page = await context.newPage();
  const problems = [];
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText;
    // Leaving a page ends its event stream, and a newer request overtakes an older one.
    if (reason !== "net::ERR_ABORTED") problems.push(`${request.url()}: ${reason}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
  });
  await page.addInitScript(() =>
    addEventListener("securitypolicyviolation", (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
    ),
  );
  return { page, problems };
}

// checkPage asserts that nothing has gone wrong so far, that the page does not scroll
// sideways, and that it has no serious accessibility finding.
export async function checkPage({ page, problems }) {
  assert.deepEqual(problems, [], page.url());
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(tooWide <= 0, `${page.url()} is ${tooWide}px too wide`);
  // The source is evaluated by the debugger, which the page's policy does not bind.
  await page.evaluate(axe);
  const findings = await page.evaluate(async () => (await axe.run()).violations);
  const serious = findings.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(
    serious.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`),
    [],
    page.url(),
  );
}
