package secret

import (
	"context"
	"errors"
	"strings"
	"time"

	"bourse/internal/market"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"
)

// manager reads one secret of AWS Secrets Manager, with the credentials and the region that
// the process has; an ARN names the region itself.
//
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
type manager struct {
	id     string
	client *secretsmanager.Client // made when it is needed first: it costs a start milliseconds
}

// managerTimeout bounds one reading with its retries.
const managerTimeout = 10 * time.Second

func (m *manager) read(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	if m.client == nil {
		cfg, err := config.LoadDefaultConfig(ctx, func(o *config.LoadOptions) error {
			if name, err := arn.Parse(m.id); err == nil {
				o.Region = name.Region
			}
			return nil
		})
		if err != nil {
			return "", unreadable(market.NeedsPerson, err)
		}
		m.client = secretsmanager.NewFromConfig(cfg)
	}
	out, err := m.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &m.id})
	if err != nil {
		return "", unreadable(outcome(err), err)
	}
	if out.SecretString == nil || strings.TrimSpace(*out.SecretString) == "" {
		return "", unreadable(market.NeedsPerson, errors.New("the secret has no text: nobody has put its value yet"))
	}
	return strings.TrimSpace(*out.SecretString), nil
}

// outcome tells what somebody has to mend, which the service says by a client's error, from
// what may pass: throttling, and credentials that are renewed.
func outcome(err error) market.Outcome {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return market.RetryAfter
	}
	switch api.ErrorCode() {
	case "ThrottlingException", "Throttling", "RequestLimitExceeded", "ExpiredTokenException", "ExpiredToken", "RequestTimeTooSkewed", "InternalServiceError":
		return market.RetryAfter
	}
	if api.ErrorFault() == smithy.FaultServer {
		return market.RetryAfter
	}
	return market.NeedsPerson
}
