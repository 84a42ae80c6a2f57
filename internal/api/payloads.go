package api

import (
	_ "embed" // the description
	"errors"
	"net/http"
	"path"
	"regexp"
	"time"
)

//go:embed openapi.yaml
var openapiYAML []byte

func (a *API) openapi(r *http.Request) (*answer, error) {
	if p := read(r); p.err != nil {
		return nil, p.err
	}
	return &answer{raw: &raw{contentType: "application/yaml", body: openapiYAML}, lifetime: lifetime{length: time.Hour}}, nil
}

// octets is the type of bytes that nobody here looks into.
const octets = "application/octet-stream"

var hashPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// payload gives out the bytes that a value came from, so that anyone can check
// their hash. They are another's: browsers save them and never show them.
func (a *API) payload(r *http.Request) (*answer, error) {
	if p := read(r); p.err != nil {
		return nil, p.err
	}
	hash := r.PathValue("sha256")
	unknown := unknownPayload.of("sha256", "%q is not the SHA-256 of a payload.", clip(hash))
	if !hashPattern.MatchString(hash) {
		return nil, unknown
	}
	p, err := a.cfg.Store.Payload(r.Context(), hash)
	if err != nil {
		return nil, orNotFound(err, unknown)
	}
	licence, err := a.licenceOf(r.Context(), p.Source)
	if err == nil {
		err = callerOf(r.Context()).mayRead(p.Source, licence)
	}
	if err != nil {
		return nil, err
	}
	body, err := a.cfg.Archive.Get(r.Context(), p.Source, hash)
	if err != nil {
		// The store says that it is there, so its absence is our fault.
		return nil, errors.Join(unavailable.of("", "The archive does not answer for these bytes."), err)
	}
	return &answer{
		raw:      &raw{contentType: octets, filename: path.Base(p.Resource), body: body},
		lifetime: lifetime{length: maxLifetime},
	}, nil
}
