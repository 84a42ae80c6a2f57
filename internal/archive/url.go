package archive

import (
	"fmt"
	"net/url"
	"os"
)

// withDefaults completes the URL of an archive.
func withDefaults(archiveURL string) (string, error) {
	u, err := url.Parse(archiveURL)
	if err != nil {
		return "", fmt.Errorf("archive URL: %w", err)
	}
	q := u.Query()
	switch u.Scheme {
	case "file":
		if err := os.MkdirAll(u.Path, 0o750); err != nil {
			return "", fmt.Errorf("archive folder: %w", err)
		}
		q.Set("metadata", "skip")   // else each object gets a file of attributes, which the receipts have
		q.Set("no_tmp_dir", "true") // else the rename could cross file systems
	case "s3":
		// Every object asks for encryption by name, so that a bucket whose policy
		// demands it takes it. kmskeyid names a key, with ssetype=aws:kms.
		if !q.Has("ssetype") {
			q.Set("ssetype", "AES256")
		}
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}
