package leftovers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go"
)

// Deletion is what became of one finding that Delete tried to delete.
type Deletion struct {
	Finding
	Err error // nil: it is gone, or going
}

// inUse are the answers to a deletion that came too early.
var inUse = []string{"DependencyViolation", "InvalidNetworkInterface.InUse", "ResourceInUse", "ResourceInUseFault", "ScalingActivityInProgress"}

// Delete deletes what a report names as left and what holds no data, in the order of the
// report, again and again while something holds something else. It refuses while the
// cluster or the database is there, or was not looked at: then what the report names may
// be in use.
func (a *Account) Delete(ctx context.Context, report Report) ([]Deletion, error) {
	if err := report.destroyed(); err != nil {
		return nil, err
	}
	var pending []Deletion
	for _, f := range report.Findings {
		if f.State == Left && f.remove != nil {
			pending = append(pending, Deletion{Finding: f})
		}
	}
	ctx, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	var done []Deletion
	for {
		var again []Deletion
		for _, d := range pending {
			switch err := d.remove(ctx); {
			case coded(err, inUse...):
				d.Err = told(err)
				again = append(again, d)
			case err != nil && !gone(err):
				d.Err = told(err)
				done = append(done, d)
			default:
				d.Err = nil
				done = append(done, d)
			}
		}
		if pending = again; len(pending) == 0 {
			return done, nil
		}
		select {
		case <-ctx.Done():
			return append(done, pending...), nil
		case <-time.After(a.pause):
		}
	}
}

// destroyed returns why the environment can't be taken for destroyed.
func (r Report) destroyed() error {
	alive := []string{clusterKind, databaseKind}
	for _, f := range r.Findings {
		if slices.Contains(alive, f.Kind) {
			return fmt.Errorf("nothing is deleted while the %s %s is there: terraform destroy comes first", f.Kind, f.ID)
		}
	}
	for _, u := range r.Unseen {
		if slices.Contains(alive, u.Kind) {
			return fmt.Errorf("nothing is deleted: whether there is a %s in %s could not be seen", u.Kind, u.Region)
		}
	}
	return nil
}

// gone reports whether the answer to a deletion is that there is nothing to delete: the
// services agree on two words of the code only.
func gone(err error) bool {
	var answer smithy.APIError
	return errors.As(err, &answer) && (strings.Contains(answer.ErrorCode(), "NotFound") || // AutoScaling has no code for it
		answer.ErrorCode() == "ValidationError" && strings.Contains(answer.ErrorMessage(), "not found"))
}
