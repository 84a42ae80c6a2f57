package function

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Queue is the queue of dead letters.
type Queue struct {
	client *sqs.Client
	url    string
}

// Queue returns the queue at a URL. It sends no request.
func (a *Account) Queue(url string) *Queue { return &Queue{sqs.NewFromConfig(a.aws), url} }

const (
	// patience is how long a queue must have nothing to be empty: an answer at once comes
	// from some of its servers only.
	patience = 2 * time.Second
	// glance is how long a message is hidden that is only looked at.
	glance = 10 * time.Second

	sent     = types.MessageSystemAttributeNameSentTimestamp
	received = types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp
)

// Letters takes the messages one by one, each hidden from others for the time that the
// queue gives, until there is none that is not. One that comes back is not taken again.
func (q *Queue) Letters(ctx context.Context) iter.Seq2[Letter, error] {
	return q.letters(ctx, sqs.ReceiveMessageInput{MaxNumberOfMessages: 1})
}

// Look shows the messages; each is hidden from others for some seconds.
func (q *Queue) Look(ctx context.Context) iter.Seq2[Letter, error] {
	return q.letters(ctx, sqs.ReceiveMessageInput{MaxNumberOfMessages: 10, VisibilityTimeout: int32(glance.Seconds())})
}

func (q *Queue) letters(ctx context.Context, ask sqs.ReceiveMessageInput) iter.Seq2[Letter, error] {
	ask.QueueUrl, ask.WaitTimeSeconds = &q.url, int32(patience.Seconds())
	ask.MessageAttributeNames = []string{"All"}
	ask.MessageSystemAttributeNames = []types.MessageSystemAttributeName{sent, received}
	return func(yield func(Letter, error) bool) {
		seen := map[string]bool{}
		for {
			out, err := q.client.ReceiveMessage(ctx, &ask)
			if err != nil {
				yield(Letter{}, fmt.Errorf("queue: %w", told(err)))
				return
			}
			if len(out.Messages) == 0 {
				return
			}
			for _, m := range out.Messages {
				if l := letterOf(m); !seen[l.ID] {
					seen[l.ID] = true
					if !yield(l, nil) {
						return
					}
				}
			}
		}
	}
}

func letterOf(m types.Message) Letter {
	l := Letter{ID: aws.ToString(m.MessageId), receipt: aws.ToString(m.ReceiptHandle)}
	l.Sent, l.Received = instant(m.Attributes[string(sent)]), instant(m.Attributes[string(received)])
	l.read([]byte(aws.ToString(m.Body)), func(name string) string { return aws.ToString(m.MessageAttributes[name].StringValue) })
	return l
}

func instant(milliseconds string) time.Time {
	n, _ := strconv.ParseInt(milliseconds, 10, 64) // what is no number is long ago
	return time.UnixMilli(n).UTC()
}

// Delete removes a message for good. Its event has been served.
func (q *Queue) Delete(ctx context.Context, l Letter) error {
	if _, err := q.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: &l.receipt}); err != nil {
		return fmt.Errorf("queue: %w", told(err))
	}
	return nil
}

// Hidden returns about how many messages somebody has taken and not given back yet.
func (q *Queue) Hidden(ctx context.Context) (int, error) {
	const name = types.QueueAttributeNameApproximateNumberOfMessagesNotVisible
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &q.url, AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return 0, fmt.Errorf("queue: %w", told(err))
	}
	n, err := strconv.Atoi(out.Attributes[string(name)])
	if err != nil {
		return 0, fmt.Errorf("queue: %s: %w", name, err)
	}
	return n, nil
}
