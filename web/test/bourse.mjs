import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const binary = fileURLToPath(new URL("../../bin/bourse", import.meta.url));

// startBourse starts the system on a free port with an empty store, and waits until it
// has numbers: real ones, or simulated ones if that is wanted.
export async function startBourse(ecbURL, { simulated }) {
  await access(binary).catch(() => {
    throw new Error(`${binary} is not built`);
  });
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "bourse-web-test-"));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("BOURSE_"));
  const child = spawn(binary, [], {
    env: {
      ...Object.fromEntries(inherited),
      BOURSE_DATA_DIR: dataDir,
      BOURSE_ADDR: "127.0.0.1:0",
      BOURSE_ADMIN_ADDR: "127.0.0.1:0",
      BOURSE_ECB_URL: ecbURL,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    const url = `http://${await listening(child)}`;
    await hasNumbers(url, simulated);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

// listening reads the log for the address that the process listens on.
function listening(child) {
  return new Promise((resolve, reject) => {
    const log = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.push(line);
      try {
        const entry = JSON.parse(line);
        if (entry.msg === "listening") resolve(entry.addr);
      } catch {
        // a line that is not of the log, such as a stack trace
      }
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`bourse ended with ${code}:\n${log.join("\n")}`)));
  });
}

async function hasNumbers(url, simulated) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    const response = await fetch(`${url}/api/v1/quotes?history=0`).catch(() => null);
    if (!response?.ok) continue;
    const answer = await response.json();
    if (answer.quotes.length > 0 && Boolean(answer.simulated) === simulated) return;
  }
  throw new Error(`no ${simulated ? "simulated" : "real"} quotes within a minute`);
}
