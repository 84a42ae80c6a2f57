import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { zip } from "./zip.mjs";

const run = promisify(execFile);

// startECB returns the base URL of something that answers like the ECB, and how to stop
// it: recorded data where BOURSE_TEST_REPLAY names its server, else made-up data.
export async function startECB() {
  const replay = process.env.BOURSE_TEST_REPLAY;
  if (!replay) return startMadeUp();
  const { stdout } = await run(path.join(replay, "start"), ["-addr", "127.0.0.1:0"]);
  const [url, pid] = stdout.trim().split(" ");
  return { url: `${url}/stats/eurofxref`, stop: () => run(path.join(replay, "stop"), [pid]) };
}

async function startMadeUp() {
  const days = madeUpDays(700);
  const files = {
    "/eurofxref-daily.xml": xml(days.slice(0, 1)),
    "/eurofxref-hist-90d.xml": xml(days.slice(0, 60)),
    "/eurofxref-hist.zip": zip("eurofxref-hist.csv", csv(days)),
  };
  return serve(({ pathname }) => files[pathname]);
}

// serve answers with what bodyOf returns for the URL of a request.
async function serve(bodyOf) {
  const server = createServer((request, response) => {
    const body = bodyOf(new URL(request.url, "http://upstream"));
    response.writeHead(body ? 200 : 404).end(body ?? "no such file");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, stop: async () => server.close() };
}

// startCoinbase is the same for Coinbase Exchange: made-up candles of BTC-USD, which are
// newest first and include both ends of what is asked for.
export function startCoinbase() {
  return serve(({ pathname, searchParams }) => {
    if (pathname !== "/products/BTC-USD/candles") return undefined;
    const step = Number(searchParams.get("granularity"));
    const [first, last] = ["start", "end"].map((name) => Math.floor(Date.parse(searchParams.get(name)) / 1000 / step));
    const candles = [];
    for (let n = Math.min(last, Math.floor(Date.now() / 1000 / step)); n >= first; n--) candles.push(candle(n, step));
    return JSON.stringify(candles);
  });
}

// candle is [time, low, high, open, close, volume] of the nth interval since 1970.
function candle(n, step) {
  const price = (n) => 61_000 * (1 + 0.05 * Math.sin(n / 17) + 0.01 * Math.sin(n / 3.1));
  const [open, close] = [price(n), price(n + 1)];
  const wick = 40 + 35 * Math.sin(n * 1.7);
  const prices = [Math.min(open, close) - wick, Math.max(open, close) + wick, open, close];
  const volume = (step / 60) * (0.3 + 0.25 * Math.sin(n / 5));
  return [n * step, ...prices.map((price) => Number(price.toFixed(2))), Number(volume.toFixed(8))];
}

const currencies = { USD: 1.1684, JPY: 186.75, GBP: 0.87058, CHF: 0.9242, IDR: 20082.05, HRK: 7.5365 };
const closingDays = ["01-01", "05-01", "12-25", "12-26"];

// madeUpDays are the rates of the last days on which banks were open, newest first. The
// kuna ends after half of them.
function madeUpDays(count) {
  const days = [];
  const day = new Date();
  while (days.length < count) {
    day.setUTCDate(day.getUTCDate() - 1);
    const date = day.toISOString().slice(0, 10);
    if (day.getUTCDay() % 6 === 0 || closingDays.includes(date.slice(5))) continue;
    const rates = {};
    for (const [code, base] of Object.entries(currencies)) {
      const price = base * (1 + 0.03 * Math.sin(days.length / 40 + base));
      rates[code] = code === "HRK" && days.length < count / 2 ? "N/A" : String(Number(price.toPrecision(6)));
    }
    days.push({ date, rates });
  }
  return days;
}

function csv(days) {
  const codes = Object.keys(currencies);
  const lines = days.map(({ date, rates }) => `${date},${codes.map((code) => rates[code]).join(",")},`);
  return [`Date,${codes.join(",")},`, ...lines, ""].join("\n");
}

function xml(days) {
  const cube = ({ date, rates }) => {
    const entries = Object.entries(rates).filter(([, rate]) => rate !== "N/A");
    return `<Cube time='${date}'>${entries.map(([code, rate]) => `<Cube currency='${code}' rate='${rate}'/>`).join("")}</Cube>`;
  };
  return `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject>
<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube>${days.map(cube).join("")}</Cube>
</gesmes:Envelope>
`;
}
