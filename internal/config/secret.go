package config

import (
	"fmt"
	"os"
	"strings"
)

// Secret returns how to get a secret that a setting names: file:///run/secrets/key is
// read each time, so it can be renewed without a restart; anything else is the secret
// itself.
func Secret(setting string) func() (string, error) {
	path, isFile := strings.CutPrefix(setting, "file://")
	return func() (string, error) {
		if !isFile {
			return setting, nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("secret: %w", err)
		}
		return strings.TrimSpace(string(text)), nil
	}
}
