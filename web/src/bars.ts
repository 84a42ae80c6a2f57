// A bar as the API writes it. Numbers become floats here, for drawing only.
export interface Bar {
  start: string;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number | null;
  provisional: boolean;
}

interface Page {
  bars: Bar[];
  next: string | null;
}

// fetchBars gets every bar of symbol since from, page by page; query says which bars.
export async function fetchBars(symbol: string, query: string, from: string, signal: AbortSignal): Promise<Bar[]> {
  const bars: Bar[] = [];
  let cursor: string | null = null;
  do {
    const asked = new URLSearchParams(query);
    asked.set("from", from);
    asked.set("limit", "10000");
    if (cursor) asked.set("cursor", cursor);
    const response = await fetch(`/api/v1/bars/${encodeURIComponent(symbol)}?${asked}`, {
      headers: { Accept: "application/json" },
      signal,
    });
    if (!response.ok) throw new Error(`the bars of ${symbol} answered ${response.status}`);
    const page = (await response.json()) as Page;
    bars.push(...page.bars);
    cursor = page.next;
  } while (cursor);
  return bars;
}

// decimals is how many decimals show all prices of bars exactly.
export function decimals(bars: Bar[]): number {
  let most = 0;
  for (const { open, high, low, close } of bars) {
    for (const price of [open, high, low, close]) most = Math.max(most, fraction(price));
  }
  return most;
}

// fraction counts the decimals of the shortest text that is n, which is the text that
// the API wrote, as long as that has no more digits than a float.
function fraction(n: number): number {
  const [digits = "", exponent = "0"] = String(n).split("e");
  return Math.max(0, (digits.split(".")[1] ?? "").length - Number(exponent));
}
