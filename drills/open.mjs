// Opens the dashboard at a URL in Chromium and prints the title of an instrument's page.
import { chromium } from "../web/node_modules/playwright-core/index.mjs";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
});
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText;
    if (why !== "net::ERR_ABORTED") errors.push(`${request.url()}: ${why}`); // as by going to another page
  });
  await page.goto(process.argv[2]);
  await page.goto(`${process.argv[2]}/instruments/EURUSD`);
  await page.waitForSelector("canvas");
  if (errors.length > 0) throw new Error(errors.join("\n"));
  console.log(await page.title());
} finally {
  await browser.close();
}
