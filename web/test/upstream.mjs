import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { zip } from "./zip.mjs";

const run = promisify(execFile);

// startUpstream returns the base URL of something that answers like the ECB, and how to
// stop it: recorded data where BOURSE_TEST_REPLAY names its server, else made-up data.
export async function startUpstream() {
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
  const server = createServer((request, response) => {
    const body = files[request.url];
    response.writeHead(body ? 200 : 404).end(body ?? "no such file");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}`, stop: async () => server.close() };
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
