package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// query is one of a panel's. Its legend has {{label}}.
type query struct {
	expr, legend string
	exemplars    bool // shows single requests with their traces
}

// graph draws the queries over time.
func graph(title, means, unit string, queries ...query) *timeseries.PanelBuilder {
	return timeseries.NewPanelBuilder().
		Title(title).Description(means).Unit(unit).Datasource(prometheusSource).
		Height(8).Span(12).Min(0).
		LineWidth(1).FillOpacity(8).ShowPoints(common.VisibilityModeNever).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).ShowLegend(true).
			Calcs([]string{"lastNotNull", "max"})).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending)).
		Targets(targets(prometheus.PromQueryFormatTimeSeries, queries))
}

// stacked draws the queries as bars on top of each other.
func stacked(title, means, unit string, queries ...query) *timeseries.PanelBuilder {
	return graph(title, means, unit, queries...).
		DrawStyle(common.GraphDrawStyleBars).FillOpacity(60).LineWidth(0).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// limit draws a line where a graph's values become bad.
func limit(p *timeseries.PanelBuilder, from float64) *timeseries.PanelBuilder {
	return p.Thresholds(steps("transparent", step{from, "red"})).
		ThresholdsStyle(common.NewGraphThresholdsStyleConfigBuilder().Mode(common.GraphThresholdsStyleModeDashed))
}

// number shows the newest value of a query, in the color of its threshold.
func number(title, means, unit string, q query, color string, more ...step) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		Title(title).Description(means).Unit(unit).Datasource(prometheusSource).
		Height(4).Span(4).
		Thresholds(steps(color, more...)).
		ColorMode(common.BigValueColorModeValue).GraphMode(common.BigValueGraphModeArea).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		Targets(targets(prometheus.PromQueryFormatTimeSeries, []query{q}))
}

// heat shows how a histogram's values are spread, over time.
func heat(title, means, unit string, q query) *heatmap.PanelBuilder {
	return heatmap.NewPanelBuilder().
		Title(title).Description(means).Unit(unit).Datasource(prometheusSource).
		Height(8).Span(12).
		YAxis(heatmap.NewYAxisConfigBuilder().Unit(unit)).
		Color(heatmap.NewHeatmapColorOptionsBuilder().Mode(heatmap.HeatmapColorModeScheme).Scheme("Oranges").Steps(64)).
		CellValues(heatmap.NewCellValuesBuilder().Unit("reqps")).
		ShowLegend().
		Tooltip(heatmap.NewHeatmapTooltipBuilder().Mode(common.TooltipDisplayModeSingle).YHistogram(true)).
		ExemplarsColor("rgba(31, 96, 196, 0.9)").
		Targets(targets(prometheus.PromQueryFormatHeatmap, []query{q}))
}

// states shows since when each of the queries' series has been there.
func states(title, means string, queries ...query) *statetimeline.PanelBuilder {
	return statetimeline.NewPanelBuilder().
		Title(title).Description(means).Unit("none").Datasource(prometheusSource).
		Height(8).Span(12).
		FillOpacity(80).LineWidth(0).ShowValue(common.VisibilityModeNever).RowHeight(0.8).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdPaletteClassicByName)).
		Legend(common.NewVizLegendOptionsBuilder().
			DisplayMode(common.LegendDisplayModeHidden).Placement(common.LegendPlacementBottom).ShowLegend(false)).
		Targets(targets(prometheus.PromQueryFormatTimeSeries, queries))
}

// column is one of a table: the newest value of each series of its query.
type column struct{ title, unit, expr string }

// rows is a table with a row for each value of a label. Each column is a query; Grafana calls its values "Value #A".
func rows(title, means, label string, columns ...column) *table.PanelBuilder {
	p := table.NewPanelBuilder().
		Title(title).Description(means).Unit("none").Datasource(prometheusSource).
		Height(8).Span(24).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{}))
	names, hidden := map[string]any{label: label}, map[string]any{"Time": true}
	for i, c := range columns {
		value := "Value #" + ref(i)
		names[value] = c.title
		hidden["Time "+string(rune('1'+i))] = true // what the join makes of the columns of one name
		p.WithTarget(prometheus.NewDataqueryBuilder().
			RefId(ref(i)).Expr(c.expr).Instant().Format(prometheus.PromQueryFormatTable).Datasource(prometheusSource)).
			OverrideByName(c.title, []dashboard.DynamicConfigValue{{Id: "unit", Value: c.unit}})
	}
	return p.
		WithTransformation(dashboard.DataTransformerConfig{Id: "joinByField", Options: map[string]any{"byField": label, "mode": "outer"}}).
		WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{"renameByName": names, "excludeByName": hidden}})
}

// step is the color of values from one on.
type step struct {
	from  float64
	color string
}

// steps colors values: below the first step with a color of their own.
func steps(below string, more ...step) *dashboard.ThresholdsConfigBuilder {
	all := []dashboard.Threshold{{Color: below}}
	for _, s := range more {
		all = append(all, dashboard.Threshold{Value: &s.from, Color: s.color})
	}
	return dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(all)
}

// colored gives series whose names match a color that says how good they are.
func colored(p *timeseries.PanelBuilder, colors ...[2]string) *timeseries.PanelBuilder {
	for _, c := range colors {
		p.OverrideByRegexp(c[0], []dashboard.DynamicConfigValue{{Id: "color", Value: map[string]string{"mode": "fixed", "fixedColor": c[1]}}})
	}
	return p
}

func targets(format prometheus.PromQueryFormat, queries []query) (all []cog.Builder[variants.Dataquery]) {
	for i, q := range queries {
		all = append(all, prometheus.NewDataqueryBuilder().
			RefId(ref(i)).Expr(q.expr).LegendFormat(q.legend).Range().Format(format).Exemplar(q.exemplars).Datasource(prometheusSource))
	}
	return all
}

// ref is the name of a panel's i-th query: A, B, C.
func ref(i int) string { return string(rune('A' + i)) }
