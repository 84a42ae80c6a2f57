-- +goose Up
-- API keys. Their secrets are nowhere, only these hashes.
CREATE TABLE keys (
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    hash       TEXT PRIMARY KEY, -- SHA-256, hex
    sources    TEXT NOT NULL,    -- comma-separated names, or *
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX keys_by_id ON keys (id);
