package main

import (
	"context"
	"encoding/json"

	"bourse/internal/market"
	"bourse/internal/telemetry"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// metric is one value with its unit in CloudWatch.
type metric struct {
	name, unit string
	value      float64
}

// measure writes the metrics of a run as one line of the log in CloudWatch's embedded metric
// format. Those of progress are of runs that succeeded only: that none comes is how a source
// that makes no progress is noticed.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func (f *function) measure(ctx context.Context, src market.Source, r market.Run) {
	metrics := []metric{{"duration", "Seconds", r.Finished.Sub(r.Started).Seconds()}}
	if r.Outcome == market.OK {
		metrics = append(metrics,
			metric{"rows", "Count", float64(r.Inserted)},
			metric{"revisions", "Count", float64(r.Revised)},
			metric{"quarantined", "Count", float64(r.Rejected)},
			metric{"lag", "Seconds", src.Overdue(r.Newest, r.Finished).Seconds()},
		)
	}
	if src.Limits.PerDay > 0 {
		spent, err := f.spent(ctx, src.Name, src.QuotaDay(r.Finished))
		if err == nil {
			metrics = append(metrics, metric{"quota_left", "Count", float64(max(0, src.Limits.PerDay-spent))})
		} else {
			f.log.ErrorContext(ctx, "what is left of the quota is not known", "source", r.Source, "run", r.ID, "error", err)
		}
	}
	type definition struct {
		Name string
		Unit string
	}
	definitions := make([]definition, len(metrics))
	line := map[string]any{
		"function": lambdacontext.FunctionName, "source": r.Source, // the dimensions
		"run": r.ID, "outcome": r.Outcome, "request": telemetry.Request(ctx),
	}
	for i, m := range metrics {
		definitions[i] = definition{m.name, m.unit}
		line[m.name] = m.value
	}
	line["_aws"] = map[string]any{
		"Timestamp": r.Finished.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace": "bourse", "Dimensions": [][]string{{"function", "source"}}, "Metrics": definitions,
		}},
	}
	if err := json.NewEncoder(f.metrics).Encode(line); err != nil {
		f.log.ErrorContext(ctx, "no metrics", "source", r.Source, "run", r.ID, "error", err)
	}
}
