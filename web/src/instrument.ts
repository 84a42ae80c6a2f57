import "./page";
import { fetchBars } from "./bars";
import { PriceChart } from "./chart";
import { onBars } from "./live";
import { swap } from "./swap";

const container = document.getElementById("chart");
const state = document.getElementById("chart-state");
const links = [...document.querySelectorAll<HTMLAnchorElement>(".ranges a")];

if (container && state) {
  const { symbol = "", query = "", candles } = container.dataset;
  let chart: PriceChart | null = null;
  let pending = new AbortController();

  // draw shows the range that is selected, once its bars are here.
  const draw = async () => {
    const from = selected()?.dataset["from"] ?? "";
    const signal = pending.signal;
    const bars = await fetchBars(symbol, query, from, signal);
    if (signal.aborted) return;
    chart ??= new PriceChart(container, candles === "true", query.includes("adjustment") ? 4 : Infinity);
    chart.show(bars);
    container.dataset["drawn"] = from;
  };

  // show brings chart and figures to the selected range, whichever arrives first.
  const show = async (reload: boolean) => {
    pending.abort();
    pending = new AbortController();
    const signal = pending.signal;
    try {
      const figures = reload ? swap(location.href, ["headline", "adjustments", "figures"], signal) : null;
      await Promise.all([draw(), figures]);
      state.textContent = "";
    } catch {
      if (!signal.aborted) state.textContent = "The chart could not be loaded. The table below has the values.";
    }
  };

  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      for (const other of links) other.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      history.replaceState(null, "", link.href);
      void show(true);
    });
  }
  void show(false);
  onBars(() => show(true));
}

function selected(): HTMLAnchorElement | undefined {
  return links.find((link) => link.hasAttribute("aria-current"));
}
