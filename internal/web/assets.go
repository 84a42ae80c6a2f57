package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
)

//go:embed all:dist
var dist embed.FS

// errNotBuilt says what to do about assets that are missing.
var errNotBuilt = errors.New("web: the assets are not built: run npm ci && npm run build in web/, then build again")

// assets serves the built scripts and styles. Their names carry a hash of their
// content, so that a browser may keep them for ever.
type assets struct {
	names map[string]string // "overview.js" -> "overview-3KJ5QX2A.js"
	files map[string]asset  // by hashed name
}

type asset struct {
	contentType string
	plain, gzip []byte
}

var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// loadAssets reads the files that dist/manifest.json names, and compresses them once.
func loadAssets(fsys fs.FS) (*assets, error) {
	manifest, err := fs.ReadFile(fsys, "dist/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotBuilt
	} else if err != nil {
		return nil, fmt.Errorf("web: read the manifest of the assets: %w", err)
	}
	var built struct {
		Entries map[string]string `json:"entries"`
		Files   []string          `json:"files"`
	}
	if err := json.Unmarshal(manifest, &built); err != nil {
		return nil, fmt.Errorf("web: parse the manifest of the assets: %w", err)
	}
	a := &assets{names: built.Entries, files: make(map[string]asset, len(built.Files))}
	for _, name := range built.Files {
		if a.files[name], err = loadAsset(fsys, name); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func loadAsset(fsys fs.FS, name string) (asset, error) {
	contentType, ok := contentTypes[path.Ext(name)]
	if !ok {
		return asset{}, fmt.Errorf("web: asset %s has no known content type", name)
	}
	plain, err := fs.ReadFile(fsys, path.Join("dist", name))
	if err != nil {
		return asset{}, fmt.Errorf("web: read asset: %w", err)
	}
	var packed bytes.Buffer
	zw, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return asset{}, err
	}
	if _, err := zw.Write(plain); err != nil {
		return asset{}, err
	}
	if err := zw.Close(); err != nil {
		return asset{}, err
	}
	return asset{contentType: contentType, plain: plain, gzip: packed.Bytes()}, nil
}

// url returns where the asset with the given plain name is served. A name that the
// build did not make is a mistake in a template.
func (a *assets) url(name string) (string, error) {
	hashed, ok := a.names[name]
	if !ok {
		return "", fmt.Errorf("web: no asset %q in the manifest", name)
	}
	return "/assets/" + hashed, nil
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	file, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", file.contentType)
	h.Set("Vary", "Accept-Encoding")
	body := file.plain
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = file.gzip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// An error here is a browser that went away.
	_, _ = w.Write(body)
}
