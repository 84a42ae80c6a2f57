import "./page";
import { matches } from "./filter";
import { onBars } from "./live";
import { swap } from "./swap";

const rates = document.getElementById("rates");
const filter = document.querySelector<HTMLInputElement>("#filter");
const live = document.getElementById("live");

if (rates && filter && live) {
  filter.closest<HTMLElement>("[hidden]")?.removeAttribute("hidden");
  filter.addEventListener("input", () => announce(applyFilter(filter.value)));
  applyFilter(filter.value); // a browser keeps what was typed when one comes back

  onBars(
    async () => {
      const before = shownValues();
      await swap("/", ["rates"]);
      applyFilter(filter.value);
      markChanged(before);
    },
    (text) => {
      live.textContent = text;
      live.dataset["state"] = text;
    },
  );
}

function rows(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>("tr[data-row]")];
}

// applyFilter shows only the rows that match, and the tables that have any; it returns
// how many rows that is.
function applyFilter(query: string): number {
  let count = 0;
  for (const row of rows()) {
    row.hidden = !matches(query, row.dataset["words"] ?? "");
    if (!row.hidden) count++;
  }
  for (const section of document.querySelectorAll<HTMLElement>("#rates section")) {
    section.hidden = !section.querySelector("tr[data-row]:not([hidden])");
  }
  const nothing = document.getElementById("nothing");
  if (nothing) nothing.hidden = count > 0;
  return count;
}

function announce(count: number): void {
  const status = document.getElementById("matches");
  if (status) status.textContent = `${count} of ${rows().length} instruments`;
}

function shownValues(): Map<string, string> {
  return new Map(rows().map((row) => [row.dataset["row"] ?? "", valueOf(row)]));
}

function valueOf(row: HTMLTableRowElement): string {
  return row.querySelector(".value")?.textContent ?? "";
}

// markChanged lets the eye find what an update has changed.
function markChanged(before: Map<string, string>): void {
  for (const row of rows()) {
    if (before.get(row.dataset["row"] ?? "") !== valueOf(row)) row.classList.add("changed");
  }
}
