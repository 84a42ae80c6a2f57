// Opens the dashboard at a URL in Chromium, clicks on an instrument, and prints the title of its page.
import { executable, launch } from "./chromium.mjs";

const path = executable();
if (!path) throw new Error("there is no Chromium");
const browser = await launch(path);
try {
  const page = await browser.newPage();
  await page.goto(process.argv[2]);
  await page.click('a[href="/instruments/EURUSD"]');
  await page.waitForURL("**/instruments/EURUSD*");
  console.log(await page.title());
} finally {
  await browser.close();
}
