import { accessSync, constants } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";

// executable is the browser to test in, or null where there is none.
export function executable() {
  if (process.env.BOURSE_TEST_CHROMIUM) return process.env.BOURSE_TEST_CHROMIUM;
  const directories = (process.env.PATH ?? "").split(path.delimiter);
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    for (const directory of directories) {
      const file = path.join(directory, name);
      try {
        accessSync(file, constants.X_OK);
        return file;
      } catch {
        // look further
      }
    }
  }
  return null;
}

export function launch(executablePath) {
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
