package api

import (
	"context"
	"crypto/subtle"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bourse/internal/market"
)

// Keys finds API keys by the hash of their secret.
type Keys interface {
	// Key also returns revoked keys; what is not there is [market.ErrNotFound].
	Key(ctx context.Context, hash string) (market.Key, error)
}

// caller is who asks.
type caller struct{ key *market.Key }

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// scope tells callers apart who see different things.
func (c caller) scope() string {
	if c.key == nil {
		return ""
	}
	return strings.Join(c.key.Sources, ",")
}

// mayRead returns nil where the caller may read a series of a source under a licence.
func (c caller) mayRead(source string, licence market.Licence) error {
	switch {
	case licence == market.Public:
		return nil
	case c.key == nil:
		return keyRequired.of("", "The licence of %s is internal: send an API key as Authorization: Bearer.", source)
	case !c.key.MayRead(source):
		return forbidden.of("", "The key %s may not read %s.", c.key.ID, source)
	}
	return nil
}

// admitted finds out who asks and whether not too often. A key that is wrong is
// refused even where none is needed: its holder should know.
func (a *API) admitted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client := address(r, a.cfg.Proxies)
		var err error
		if header := r.Header.Get("Authorization"); header != "" {
			var key market.Key
			if key, err = a.authenticate(r.Context(), header); err == nil {
				client = "key " + key.ID
				r = r.WithContext(context.WithValue(r.Context(), callerKey{}, caller{&key}))
			}
		}
		if wait := a.limiter.take(client, time.Now()); wait > 0 {
			seconds := int(math.Ceil(wait.Seconds()))
			w.Header().Set("Retry-After", strconv.Itoa(seconds))
			err = tooManyRequests.of("", "Try again in %d s.", seconds)
		}
		if err != nil {
			a.tell(w, r, err, a.simulated(r.Context()))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *API) authenticate(ctx context.Context, header string) (market.Key, error) {
	refused := invalidKey.of("", "The key is not one, or it has been revoked.")
	scheme, secret, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") || a.cfg.Keys == nil {
		return market.Key{}, refused
	}
	hash := market.SHA256([]byte(strings.TrimSpace(secret)))
	key, err := a.cfg.Keys.Key(ctx, hash)
	switch {
	case errors.Is(err, market.ErrNotFound):
		return market.Key{}, refused
	case err != nil:
		return market.Key{}, err
	case subtle.ConstantTimeCompare([]byte(key.Hash), []byte(hash)) != 1, !key.RevokedAt.IsZero():
		return market.Key{}, refused
	}
	return key, nil
}

// licenceOf returns the licence of a source, internal where nothing is known of it.
func (a *API) licenceOf(ctx context.Context, source string) (market.Licence, error) {
	some, err := a.cfg.Store.Instruments(ctx, market.InstrumentQuery{Source: source, Limit: 1})
	if err != nil || len(some) == 0 {
		return market.Internal, err
	}
	return some[0].Licence, nil
}
