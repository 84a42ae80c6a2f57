package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// download returns the folder of programs that embedded-postgres has fetched, now or
// before. It unpacks them only when it starts a server, so one is started for that.
func download() (string, error) {
	if os.Geteuid() == 0 {
		return "", fmt.Errorf("none is installed, and a downloaded one does not run as root")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("cache: %w", err)
	}
	root := filepath.Join(cache, "bourse-postgres", string(embedded.V18))
	bin := filepath.Join(root, "bin")
	if complete(bin) {
		return bin, nil
	}
	data, err := os.MkdirTemp("", "bourse-postgres-")
	if err != nil {
		return "", fmt.Errorf("data directory: %w", err)
	}
	return bin, errors.Join(unpack(root, data), os.RemoveAll(data))
}

// unpack starts and stops a server whose programs go to root.
func unpack(root, data string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	var log bytes.Buffer
	server := embedded.NewDatabase(embedded.DefaultConfig().Version(embedded.V18).Port(uint32(port)).
		BinariesPath(root).RuntimePath(filepath.Join(data, "run")).DataPath(filepath.Join(data, "data")).Logger(&log))
	if err := server.Start(); err != nil {
		return fmt.Errorf("download: %w: %s", err, log.String())
	}
	if err := server.Stop(); err != nil {
		return fmt.Errorf("download: %w", err)
	}
	return nil
}
