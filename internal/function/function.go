// Package function starts the ingest function on AWS Lambda, and reads the queue of the
// events that it failed to serve.
//
// A message of that queue is deleted by whoever ran its event again, and by nobody else:
// until then it stays where it is and comes back, hidden from others only for the time
// that the queue gives, which is that of a run.
package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

// Account is the AWS account that the process has credentials for.
type Account struct{ aws aws.Config }

// Open finds credentials and the region as every AWS tool does. It sends no request to
// the services.
func Open(ctx context.Context) (*Account, error) {
	cfg, err := awsconfig.LoadDefaultConfig(ctx, awsconfig.WithHTTPClient(awshttp.NewBuildableClient()))
	if err != nil {
		return nil, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("AWS configuration: no region is set (AWS_REGION)")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	return &Account{cfg}, nil
}

// RunError is a run that failed: the function was started, and says so.
type RunError struct {
	Kind    string // Unhandled where the program or Lambda ended it, Handled where the program returned an error
	Message string
}

func (e *RunError) Error() string { return e.Kind + ": " + e.Message }

// ErrBusy is returned where Lambda starts no more runs now, after some tries.
var ErrBusy = errors.New("no more runs are started now")

// Result is what the function answers.
type Result struct {
	Run      int64  `json:"run"`
	Outcome  string `json:"outcome"`
	Error    string `json:"error"`
	Complete bool   `json:"complete"` // it did all there was to do
	Skipped  bool   `json:"skipped"`  // another run of the source was under way, so there was none
}

// Unfinished says why the event has not been served, as far as the run did not fail: nil
// where it has been.
func (r Result) Unfinished() error {
	switch {
	case r.Skipped:
		return errors.New("another run of the source was under way")
	case !r.Complete:
		return fmt.Errorf("run %d ended before it was done: %s: %s", r.Run, r.Outcome, r.Error)
	}
	return nil
}

// Invoke runs a function with an event, waits for its end, and returns its answer.
func (a *Account) Invoke(ctx context.Context, name string, event []byte) (Result, error) {
	out, err := lambda.NewFromConfig(a.aws).Invoke(ctx, &lambda.InvokeInput{
		FunctionName: &name, InvocationType: types.InvocationTypeRequestResponse, Payload: event,
	})
	var refused *awshttp.ResponseError
	switch {
	case errors.As(err, &refused) && refused.HTTPStatusCode() == http.StatusTooManyRequests:
		return Result{}, fmt.Errorf("%w: %w", ErrBusy, told(err))
	case err != nil:
		return Result{}, fmt.Errorf("start %s: %w", name, told(err))
	case out.FunctionError != nil:
		return Result{}, &RunError{*out.FunctionError, messageOf(out.Payload)}
	}
	var result Result
	if err := json.Unmarshal(out.Payload, &result); err != nil {
		return Result{}, fmt.Errorf("%s does not answer as the ingest function: %w", name, err)
	}
	return result, nil
}

// messageOf returns what an answer of a run that failed says, or all of it where that is
// not in the form of Lambda.
func messageOf(answer []byte) string {
	var said struct{ ErrorMessage, ErrorType string }
	if err := json.Unmarshal(answer, &said); err != nil || said.ErrorMessage == "" {
		return clip(string(answer))
	}
	if said.ErrorType != "" {
		return said.ErrorType + ": " + said.ErrorMessage
	}
	return said.ErrorMessage
}

func clip(text string) string {
	if len(text) > 500 {
		return text[:500] + "…"
	}
	return text
}

// told makes an error of the SDK readable: the service's own code and words.
func told(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return fmt.Errorf("%s: %s", answer.ErrorCode(), answer.ErrorMessage())
	}
	return err
}
