package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"bourse/cmd/internal/wire"
	"bourse/internal/config"
	"bourse/internal/market"

	"github.com/peterbourgon/ff/v3/ffcli"
)

// keyLine is a key on standard output. Its secret is there once, when it is made.
type keyLine struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Sources   []string   `json:"sources"`
	CreatedAt time.Time  `json:"created_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Secret    string     `json:"secret,omitempty"`
}

func lineOf(k market.Key) keyLine {
	line := keyLine{ID: k.ID, Name: k.Name, Sources: k.Sources, CreatedAt: k.CreatedAt}
	if !k.RevokedAt.IsZero() {
		line.RevokedAt = &k.RevokedAt
	}
	return line
}

// key is the verb of API keys, with verbs of its own.
func (c cli) key() *ffcli.Command {
	root := flag.NewFlagSet("key", flag.ContinueOnError)
	root.SetOutput(c.stderr)
	return &ffcli.Command{
		Name: "key", ShortUsage: "bourse key create|list|revoke [flags]", ShortHelp: "make, list and revoke API keys",
		LongHelp:    "An API key opens series under an internal licence. Results are JSON on standard output, one object a line.",
		FlagSet:     root,
		Subcommands: []*ffcli.Command{c.createKey(), c.listKeys(), c.revokeKey()},
		Exec: func(_ context.Context, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("key has no verb %q; it has create, list and revoke", args[0])
			}
			return errors.New("say what to do: bourse key create, list or revoke")
		},
	}
}

func (c cli) createKey() *ffcli.Command {
	fs := flag.NewFlagSet("create", flag.ContinueOnError)
	name := fs.String("name", "", "whom it is for")
	sources := fs.String("sources", market.AllSources, "the sources that it opens, with commas between them; * is all")
	return c.keyVerb(fs, "make a key and show its secret, once", func(ctx context.Context, store wire.Store, out *json.Encoder) error {
		if *name == "" {
			return errors.New("say whom the key is for: -name")
		}
		k, secret := market.NewKey(*name, strings.Split(*sources, ","), time.Now())
		if err := store.SaveKey(ctx, k); err != nil {
			return err
		}
		line := lineOf(k)
		line.Secret = secret
		return out.Encode(line) //nolint:gosec // the secret is shown this once
	})
}

func (c cli) listKeys() *ffcli.Command {
	return c.keyVerb(flag.NewFlagSet("list", flag.ContinueOnError), "list all keys, without their secrets",
		func(ctx context.Context, store wire.Store, out *json.Encoder) error {
			list, err := store.Keys(ctx)
			for _, k := range list {
				err = errors.Join(err, out.Encode(lineOf(k))) //nolint:gosec // without the secret
			}
			return err
		})
}

func (c cli) revokeKey() *ffcli.Command {
	fs := flag.NewFlagSet("revoke", flag.ContinueOnError)
	id := fs.String("id", "", "which")
	return c.keyVerb(fs, "end a key for good", func(ctx context.Context, store wire.Store, _ *json.Encoder) error {
		if *id == "" {
			return errors.New("say which key: -id")
		}
		err := store.RevokeKey(ctx, *id, time.Now())
		if errors.Is(err, market.ErrNotFound) {
			return fmt.Errorf("there is no key %q; bourse key list lists them", *id)
		}
		return err
	})
}

// keyVerb returns a command that does something with the keys of a store.
func (c cli) keyVerb(fs *flag.FlagSet, short string, do func(context.Context, wire.Store, *json.Encoder) error) *ffcli.Command {
	fs.SetOutput(c.stderr)
	var storage config.Storage
	storage.Flags(fs)
	return &ffcli.Command{
		Name: fs.Name(), ShortUsage: "bourse key " + fs.Name() + " [flags]", ShortHelp: short, LongHelp: short + ".", FlagSet: fs,
		Exec: func(ctx context.Context, args []string) (err error) {
			if err := config.Parse(fs, args); err != nil {
				return err
			}
			store, err := wire.OpenStore(ctx, storage, nil)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			if err := store.Migrate(ctx); err != nil {
				return err
			}
			return do(ctx, store, json.NewEncoder(c.stdout))
		},
	}
}
