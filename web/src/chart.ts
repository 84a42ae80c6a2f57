import {
  AreaSeries,
  CandlestickSeries,
  ColorType,
  CrosshairMode,
  createChart,
  type IChartApi,
  type ISeriesApi,
  type MouseEventParams,
} from "lightweight-charts";
import { type Bar, decimals } from "./bars";

type Series = ISeriesApi<"Area"> | ISeriesApi<"Candlestick">;

// PriceChart draws the bars of one instrument: fixings as a line, bars with a range as
// candles. Its colours are those of the style sheet, in either scheme.
export class PriceChart {
  private readonly chart: IChartApi;
  private readonly series: Series;
  private readonly legend = document.createElement("p");
  private scale = 0; // decimals

  constructor(
    private readonly container: HTMLElement,
    candles: boolean,
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
    this.series = candles
      ? this.chart.addSeries(CandlestickSeries, { borderVisible: false })
      : this.chart.addSeries(AreaSeries, { lineWidth: 2 });
    this.legend.className = "legend";
    container.append(this.legend);
    this.chart.subscribeCrosshairMove((event) => this.describe(event));
    this.paint();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  show(bars: Bar[]): void {
    this.scale = decimals(bars);
    this.series.applyOptions({ priceFormat: { type: "price", precision: this.scale, minMove: 10 ** -this.scale } });
    this.series.setData(
      bars.map((bar) => ({
        time: bar.start,
        value: bar.close,
        open: bar.open,
        high: bar.high,
        low: bar.low,
        close: bar.close,
      })),
    );
    this.chart.timeScale().fitContent();
  }

  private paint(): void {
    const style = getComputedStyle(this.container);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const line = { color: colour("--grid") };
    this.chart.applyOptions({
      layout: {
        background: { type: ColorType.Solid, color: colour("--surface") },
        textColor: colour("--muted"),
        fontFamily: style.fontFamily,
      },
      grid: { vertLines: line, horzLines: line },
    });
    this.series.applyOptions(
      this.series.seriesType() === "Area"
        ? { lineColor: colour("--accent"), topColor: colour("--area"), bottomColor: colour("--area-end") }
        : {
            upColor: colour("--up"),
            downColor: colour("--down"),
            wickUpColor: colour("--up"),
            wickDownColor: colour("--down"),
          },
    );
  }

  // describe writes the value under the crosshair.
  private describe(event: MouseEventParams): void {
    const point = event.seriesData.get(this.series);
    if (!point || !event.time) {
      this.legend.textContent = "";
      return;
    }
    const written = (n: number) => n.toFixed(this.scale);
    const text =
      "value" in point
        ? written(point.value)
        : "open" in point
          ? `O ${written(point.open)} H ${written(point.high)} L ${written(point.low)} C ${written(point.close)}`
          : "";
    this.legend.textContent = `${String(event.time)}  ${text}`;
  }
}
