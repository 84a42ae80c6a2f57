package leftovers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// query asks a service that takes forms and answers in XML. Here it stands in for the
// SDK's clients of EC2 and RDS, which take longest to compile (docs/decisions/0018).
type query struct {
	aws     aws.Config
	service string // as in the host's name and in the signature
	version string // of the service's API
	answer  string // what the name of the element that holds an answer ends in, after the action
	token   string // the parameter that asks for a further page
}

func (r region) ec2() query {
	return query{aws: r.aws, service: "ec2", version: "2016-11-15", answer: "Response", token: "NextToken"}
}

func (r region) rds() query {
	return query{aws: r.aws, service: "rds", version: "2014-10-31", answer: "Result", token: "Marker"}
}

// page is one answer of a list, and says where it goes on: "" at its end.
type page interface{ next() string }

type ec2Page struct {
	NextToken string `xml:"nextToken"`
}

func (p ec2Page) next() string { return p.NextToken }

type rdsPage struct{ Marker string }

func (p rdsPage) next() string { return p.Marker }

// answers goes through the pages of an answer, up to an error.
func answers[P page](ctx context.Context, q query, action string, parameters url.Values) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		form := url.Values{}
		for name, values := range parameters {
			form[name] = values
		}
		for {
			var p P
			err := q.call(ctx, action, form, &p)
			if !yield(p, err) || err != nil || p.next() == "" {
				return
			}
			form.Set(q.token, p.next())
		}
	}
}

// call makes a call and decodes its answer, unless out is nil. What the service refuses
// is a [smithy.APIError]. It tries as often and for the same reasons as the SDK's clients.
func (q query) call(ctx context.Context, action string, parameters url.Values, out any) error {
	retryer := retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = q.aws.RetryMaxAttempts })
	for attempt := 1; ; attempt++ {
		body, err := q.try(ctx, action, parameters)
		if err == nil {
			return q.decode(action, body, out)
		}
		if attempt == retryer.MaxAttempts() || !retryer.IsErrorRetryable(err) {
			return err
		}
		delay, delayErr := retryer.RetryDelay(attempt, err)
		if delayErr != nil {
			return errors.Join(err, delayErr)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
		}
	}
}

// try sends one signed request and returns the body of its answer.
func (q query) try(ctx context.Context, action string, parameters url.Values) ([]byte, error) {
	form := url.Values{"Action": {action}, "Version": {q.version}}
	for name, values := range parameters {
		form[name] = values
	}
	body := []byte(form.Encode())
	endpoint := cmp.Or(aws.ToString(q.aws.BaseEndpoint), "https://"+q.service+"."+q.aws.Region+".amazonaws.com")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.URL.Path = cmp.Or(req.URL.Path, "/") // as it is sent, and so signed
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	credentials, err := q.aws.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS credentials: %w", err)
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(hash[:]), q.service, q.aws.Region, time.Now()); err != nil {
		return nil, fmt.Errorf("signature: %w", err)
	}
	res, err := q.aws.HTTPClient.Do(req)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err} // which is tried again
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, &smithyhttp.RequestSendError{Err: err}
	}
	if res.StatusCode != http.StatusOK {
		return nil, &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: res}, Err: refusal(res.Status, answer)}
	}
	return answer, nil
}

// refusal is what an answer other than 200 says. What stands between here and the service
// may answer without a code.
func refusal(status string, body []byte) *smithy.GenericAPIError {
	type reason struct{ Code, Message string }
	var said struct {
		EC2 reason `xml:"Errors>Error"`
		RDS reason `xml:"Error"`
	}
	_ = xml.Unmarshal(body, &said)
	return &smithy.GenericAPIError{
		Code: cmp.Or(said.EC2.Code, said.RDS.Code, "UnknownError"), Message: cmp.Or(said.EC2.Message, said.RDS.Message, status),
	}
}

// decode reads what answers the action. Anything else, as a proxy's page, is an error: it
// would decode as an empty list.
func (q query) decode(action string, body []byte, out any) error {
	if out == nil {
		return nil
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := decoder.Token()
		if err != nil {
			return fmt.Errorf("no answer to %s: %w", action, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == action+q.answer {
			return decoder.DecodeElement(out, &start)
		}
	}
}
