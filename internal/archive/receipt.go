package archive

import (
	"fmt"
	"time"

	"bourse/internal/market"
)

// receipt is the JSON form of a payload's circumstances.
type receipt struct {
	Source     string              `json:"source"`
	Resource   string              `json:"resource"`
	URL        string              `json:"url"`
	Status     int                 `json:"status"`
	Header     map[string][]string `json:"header,omitempty"`
	ReceivedAt time.Time           `json:"received_at"`
	SHA256     string              `json:"sha256"`
	Size       int64               `json:"size"`
	Run        int64               `json:"run"`
}

const receiptDay = "2006/01/02/"

func objectKey(source, sha256 string) string {
	return fmt.Sprintf("%s/objects/%.2s/%s", source, sha256, sha256)
}

// receiptKey sorts by time, to the microsecond.
func receiptKey(p market.Payload) string {
	return fmt.Sprintf("%s/receipts/%s-%.12s.json", p.Source, p.ReceivedAt.UTC().Format(receiptDay+"150405.000000"), p.SHA256)
}
