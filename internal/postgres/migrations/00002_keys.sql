-- +goose Up
-- API keys. Their secrets are nowhere, only these hashes.
CREATE TABLE keys (
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    hash       TEXT COLLATE "C" PRIMARY KEY, -- SHA-256, hex
    sources    TEXT[] NOT NULL,              -- names, or *
    created_at TIMESTAMPTZ NOT NULL,
    revoked_at TIMESTAMPTZ
);
