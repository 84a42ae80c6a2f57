package main

import (
	"context"

	"bourse/internal/telemetry"

	"github.com/aws/aws-lambda-go/lambdacontext"
	"go.opentelemetry.io/contrib/propagators/aws/xray"
	"go.opentelemetry.io/otel/propagation"
)

// observed returns the context of an invocation with what its log lines are found by: the
// ID of the request, and the trace that X-Ray began.
//
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-next
func observed(ctx context.Context) context.Context {
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		ctx = telemetry.WithRequest(ctx, lc.AwsRequestID)
	}
	header, _ := ctx.Value("x-amzn-trace-id").(string) // under which Lambda's library puts it
	return xray.Propagator{}.Extract(ctx, propagation.MapCarrier{"X-Amzn-Trace-Id": header})
}
