import {
  AreaSeries,
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  HistogramSeries,
  type IChartApi,
  type ISeriesApi,
  type MouseEventParams,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";
import { type Bar, decimals } from "./bars";

type Series = ISeriesApi<"Area"> | ISeriesApi<"Candlestick">;

// PriceChart draws the bars of one instrument: fixings as a line, bars with a range as
// candles, with their volume below. Its colours are those of the style sheet, in either
// scheme.
export class PriceChart {
  private readonly chart: IChartApi;
  private readonly series: Series;
  private readonly volumes: ISeriesApi<"Histogram"> | null = null;
  private readonly legend = document.createElement("p");
  private bars = new Map<Time, Bar>();
  private newest: Bar | undefined;
  private scale = 0; // decimals

  constructor(
    private readonly container: HTMLElement,
    private readonly candles: boolean,
    // Prices that come of a division have more decimals than anyone reads.
    private readonly mostDecimals: number,
  ) {
    // The server's drawing stays until there is one to take its place.
    container.replaceChildren();
    this.chart = createChart(container, {
      autoSize: true,
      // The page names TradingView in its footer; the logo would inject a style
      // element, which the content security policy forbids.
      layout: { attributionLogo: false },
      localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd" },
      crosshair: { mode: CrosshairMode.Magnet },
      rightPriceScale: { borderVisible: false },
      timeScale: { borderVisible: false, fixLeftEdge: true, fixRightEdge: true, lockVisibleTimeRangeOnResize: true },
      // A page must scroll under a finger or a wheel that happens to be over the chart.
      handleScroll: false,
      handleScale: false,
    });
    if (candles) {
      this.series = this.chart.addSeries(CandlestickSeries, {});
      // The legend stands above the candles; on a phone it has more lines.
      const top = container.clientWidth < 500 ? 0.24 : 0.14;
      this.series.priceScale().applyOptions({ scaleMargins: { top, bottom: 0.24 } });
      // Its own scale, at the foot of the plot and without labels.
      this.volumes = this.chart.addSeries(HistogramSeries, {
        priceScaleId: "volume",
        priceLineVisible: false,
        lastValueVisible: false,
      });
      this.volumes.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    } else {
      this.series = this.chart.addSeries(AreaSeries, { lineWidth: 2 });
    }
    this.legend.className = "legend";
    container.append(this.legend);
    this.chart.subscribeCrosshairMove((event) => this.describe(event));
    this.paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  show(bars: Bar[]): void {
    this.scale = Math.min(decimals(bars), this.mostDecimals);
    this.bars = new Map(bars.map((bar) => [time(bar), bar]));
    this.newest = bars.at(-1);
    this.series.applyOptions({ priceFormat: { type: "price", precision: this.scale, minMove: 10 ** -this.scale } });
    this.chart.timeScale().applyOptions({ timeVisible: bars.some(intraday), secondsVisible: false });
    this.setData();
    this.chart.timeScale().fitContent();
    this.write(undefined);
  }

  private setData(): void {
    const colour = this.colours();
    const bars = [...this.bars];
    this.series.setData(
      bars.map(([time, bar]) => ({
        time,
        value: bar.close,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
        // What is not over is drawn hollow.
        ...(bar.provisional && this.candles ? { color: colour("--surface") } : {}),
      })),
    );
    this.volumes?.setData(
      bars.map(([time, bar]) => ({
        time,
        value: bar.volume ?? 0,
        color: colour(bar.close < bar.open ? "--volume-down" : "--volume-up"),
      })),
    );
  }

  private colours(): (name: string) => string {
    const style = getComputedStyle(this.container);
    return (name) => style.getPropertyValue(name).trim();
  }

  private paint(): void {
    const colour = this.colours();
    const line = { color: colour("--grid") };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("--surface") },
        textColor: colour("--muted"),
        fontFamily: getComputedStyle(this.container).fontFamily,
      },
      grid: { vertLines: line, horzLines: line },
    });
    const up = colour("--up");
    const down = colour("--down");
    this.series.applyOptions(
      this.candles
        ? {
            upColor: up,
            downColor: down,
            borderUpColor: up,
            borderDownColor: down,
            wickUpColor: up,
            wickDownColor: down,
          }
        : { lineColor: colour("--accent"), topColor: colour("--area"), bottomColor: colour("--area-end") },
    );
    this.setData();
  }

  private describe(event: MouseEventParams): void {
    this.write(event.time === undefined ? undefined : this.bars.get(event.time));
  }

  // write puts a bar into the legend: that under the crosshair, else of candles the
  // newest.
  private write(bar: Bar | undefined): void {
    const shown = bar ?? (this.candles ? this.newest : undefined);
    this.legend.textContent = shown ? (this.candles ? this.candle(shown) : this.fixing(shown)) : "";
  }

  private fixing(bar: Bar): string {
    return `${bar.start}  ${bar.close.toFixed(this.scale)}`;
  }

  private candle(bar: Bar): string {
    const price = new Intl.NumberFormat("en-GB", {
      minimumFractionDigits: this.scale,
      maximumFractionDigits: this.scale,
    });
    const parts = [
      intraday(bar) ? `${bar.start.slice(0, 16).replace("T", " ")} UTC` : bar.start,
      ...(["open", "high", "low", "close"] as const).map(
        // The space inside does not break: a letter stays with its number.
        (name) => `${name.charAt(0).toUpperCase()}\u00a0${price.format(bar[name])}`,
      ),
    ];
    if (bar.volume !== null) parts.push(`V\u00a0${bar.volume.toLocaleString("en-GB", { maximumFractionDigits: 2 })}`);
    if (bar.provisional) parts.push("provisional");
    return parts.join("  ");
  }
}

// intraday reports whether a bar is shorter than a day: its start is an instant.
function intraday(bar: Bar): boolean {
  return bar.start.includes("T");
}

function time(bar: Bar): Time {
  return intraday(bar) ? ((Date.parse(bar.start) / 1000) as UTCTimestamp) : bar.start;
}
