package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// reply is an answer in its format, ready to be sent any number of times.
type reply struct {
	contentType string
	filename    string
	link        string
	tag         string
	simulated   bool
	private     bool // for the holders of a key only
	lifetime    lifetime
	body        []byte
	zipped      func() []byte // the body compressed, nil where that is not worth it
}

// lifetime is how long a client may reuse an answer: for a while, or until an
// instant. With neither it asks each time.
type lifetime struct {
	length time.Duration
	until  time.Time
}

// left is what of it is left, in whole seconds.
func (l lifetime) left(now time.Time) int {
	if !l.until.IsZero() {
		return int(min(l.until.Sub(now), maxLifetime).Seconds())
	}
	return int(l.length.Seconds())
}

const (
	maxLifetime = 24 * time.Hour
	minZipped   = 1 << 10 // smaller bodies fit a packet anyway
)

func newReply(r *http.Request, ans *answer, format string, simulated bool) (*reply, error) {
	body, err := encode(ans, format, simulated)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	out := &reply{
		contentType: format, simulated: simulated, private: callerOf(r.Context()).key != nil, lifetime: ans.lifetime, body: body,
		tag: `W/"` + hex.EncodeToString(sum[:12]) + `"`, // weak: compressed it is the same
		zipped: sync.OnceValue(func() []byte {
			if len(body) < minZipped || format == octets {
				return nil
			}
			return compress(body)
		}),
	}
	if ans.raw != nil {
		out.filename = ans.raw.filename
	}
	if ans.list != nil && ans.list.next != "" {
		out.link = fmt.Sprintf(`<%s>; rel="next"`, nextURL(r, ans.list.next))
	}
	return out, nil
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.DefaultCompression)
	if err == nil {
		_, err = z.Write(body)
	}
	if err != nil || z.Close() != nil {
		return nil // cannot be: the level is a constant and the writer is memory
	}
	return out.Bytes()
}

// send writes the reply as far as the client does not have it.
func (p *reply) send(w http.ResponseWriter, r *http.Request, now time.Time) {
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept, Accept-Encoding, Authorization")
	h.Set("ETag", p.tag)
	if p.filename != "" {
		h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", p.filename))
	}
	if p.link != "" {
		h.Set("Link", p.link)
	}
	switch left := p.lifetime.left(now); {
	case h.Get(staleHeader) != "":
		h.Set("Cache-Control", "no-cache")
	case p.simulated:
		h.Set(simulatedHeader, "true")
		h.Set("Cache-Control", "no-store")
	case left > 0:
		who := "public"
		if p.private {
			who = "private"
		}
		h.Set("Cache-Control", fmt.Sprintf("%s, max-age=%d", who, left))
	default:
		h.Set("Cache-Control", "no-cache")
	}
	if matches(r.Header.Get("If-None-Match"), p.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := p.body
	if acceptsGzip(r.Header.Get("Accept-Encoding")) {
		if zipped := p.zipped(); zipped != nil {
			h.Set("Content-Encoding", "gzip")
			body = zipped
		}
	}
	_, _ = w.Write(body) // an error is a client that went away
}

// matches compares an If-None-Match header weakly (RFC 9110, section 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// acceptsGzip reads an Accept-Encoding header (RFC 9110, section 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			weight = strings.TrimRight(strings.TrimSpace(weight), "0.")
			return weight != "q="
		}
	}
	return false
}
