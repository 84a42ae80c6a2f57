package config

import (
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"
)

// LogLevel adds the flag -log-level.
func LogLevel(fs *flag.FlagSet) *slog.Level {
	level := new(slog.Level)
	fs.TextVar(level, "log-level", slog.LevelInfo, "least level that is logged: DEBUG, INFO, WARN or ERROR")
	return level
}

// Listen is where a server listens and how it ends.
type Listen struct {
	Addr, AdminAddr string
	Drain           time.Duration
}

// Flags adds the flags of a server.
func (l *Listen) Flags(fs *flag.FlagSet) {
	fs.StringVar(&l.Addr, "addr", ":8080", "address to serve at")
	fs.StringVar(&l.AdminAddr, "admin-addr", "127.0.0.1:9090", "address of metrics and pprof")
	fs.DurationVar(&l.Drain, "drain", 0, "how long readiness fails before the listeners close")
}

// Storage is where the store and the archive are.
type Storage struct {
	dir, databaseURL, archiveURL string
}

// Flags adds the flags of the storage.
func (s *Storage) Flags(fs *flag.FlagSet) {
	fs.StringVar(&s.dir, "data-dir", "data", "folder of a store and an archive without an address of their own")
	fs.StringVar(&s.databaseURL, "database-url", "", "store (default sqlite:// in the data folder)")
	fs.StringVar(&s.archiveURL, "archive-url", "", "archive of raw payloads (default file:// in the data folder)")
}

// URLs returns the addresses of the store and the archive.
func (s *Storage) URLs() (database, archive string, err error) {
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return "", "", fmt.Errorf("data folder: %w", err)
	}
	database, archive = s.databaseURL, s.archiveURL
	if database == "" {
		database = "sqlite://" + filepath.Join(dir, "bourse.db")
	}
	if archive == "" {
		archive = "file://" + filepath.Join(dir, "archive")
	}
	return database, archive, nil
}

// Clients is what clients of the API may do.
type Clients struct {
	Rate, Burst float64
	Proxies     int
}

// Flags adds the flags of clients.
func (c *Clients) Flags(fs *flag.FlagSet) {
	fs.Float64Var(&c.Rate, "client-rate", 0, "requests a second for each API key, or address without one; 0: no limit, for where no strangers are")
	fs.Float64Var(&c.Burst, "client-burst", 100, "requests at once, where there is a limit")
	fs.IntVar(&c.Proxies, "proxies", 0, "how many proxies of our own stand before this one and add to X-Forwarded-For")
}
