import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const binary = fileURLToPath(new URL("../../bin/bourse", import.meta.url));

// startBourse starts the system on a free port with an empty store, and waits until it
// has numbers: real ones, or simulated ones if that is wanted. Without a URL of its own
// Coinbase is not read.
export async function startBourse({ ecbURL, coinbaseURL, simulated }) {
  await access(binary).catch(() => {
    throw new Error(`${binary} is not built`);
  });
  const dataDir = await mkdtemp(path.join(os.tmpdir(), "bourse-web-test-"));
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("BOURSE_"));
  const env = {
    ...Object.fromEntries(inherited),
    BOURSE_DATA_DIR: dataDir,
    BOURSE_ADDR: "127.0.0.1:0",
    BOURSE_ADMIN_ADDR: "127.0.0.1:0",
    BOURSE_ECB_URL: ecbURL,
    BOURSE_COINBASE_PRODUCTS: coinbaseURL ? "BTC-USD" : "none",
    ...(coinbaseURL ? { BOURSE_COINBASE_URL: coinbaseURL } : {}),
  };
  const child = spawn(binary, [], { env, stdio: ["ignore", "ignore", "pipe"] });
  // bourse runs a verb of the operator on the same store; it prints one object.
  const bourse = async (...args) => JSON.parse((await promisify(execFile)(binary, args, { env })).stdout || "null");
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
    if (coinbaseURL) await hasRun(url, "coinbase");
    return { url, bourse, stop };
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

// hasRun waits for a whole run of a source, whose values need not be public.
async function hasRun(url, source) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(100)) {
    const { runs } = await (await fetch(`${url}/api/v1/runs?source=${source}&limit=1`)).json();
    if (runs[0]?.outcome === "ok") return;
  }
  throw new Error(`no run of ${source} within a minute`);
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
