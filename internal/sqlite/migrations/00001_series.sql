-- +goose Up
CREATE TABLE sources (
    name        TEXT PRIMARY KEY,
    title       TEXT NOT NULL,
    homepage    TEXT NOT NULL,
    attribution TEXT NOT NULL,
    licence     TEXT NOT NULL,
    calendar    TEXT NOT NULL,
    publish_at  INTEGER NOT NULL, -- seconds after midnight
    zone        TEXT NOT NULL,
    next_run    INTEGER           -- microseconds since 1970
) STRICT;

CREATE TABLE instruments (
    id       INTEGER PRIMARY KEY,
    symbol   TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    kind     TEXT NOT NULL,
    base     TEXT NOT NULL,
    quote    TEXT NOT NULL,
    source   TEXT NOT NULL REFERENCES sources (name),
    calendar TEXT NOT NULL,
    licence  TEXT NOT NULL,
    first    INTEGER,                    -- start of the oldest daily bar, seconds since 1970
    last     INTEGER,                    -- of the newest
    bars     INTEGER NOT NULL DEFAULT 0  -- how many it has
) STRICT;
CREATE INDEX instruments_by_source ON instruments (source);

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    source      TEXT NOT NULL REFERENCES sources (name),
    trigger     TEXT NOT NULL,
    started_at  INTEGER NOT NULL, -- microseconds since 1970, as all *_at
    finished_at INTEGER,
    outcome     TEXT NOT NULL DEFAULT '',
    error       TEXT NOT NULL DEFAULT '',
    retry_at    INTEGER,
    requests    INTEGER NOT NULL DEFAULT 0,
    payloads    INTEGER NOT NULL DEFAULT 0,
    bars        INTEGER NOT NULL DEFAULT 0,
    inserted    INTEGER NOT NULL DEFAULT 0,
    revised     INTEGER NOT NULL DEFAULT 0,
    unchanged   INTEGER NOT NULL DEFAULT 0,
    rejected    INTEGER NOT NULL DEFAULT 0,
    flagged     INTEGER NOT NULL DEFAULT 0,
    newest      INTEGER,          -- seconds since 1970
    lag         INTEGER NOT NULL DEFAULT 0 -- seconds
) STRICT;
CREATE INDEX runs_by_source ON runs (source, id);

-- A row for each receipt, the useless ones too.
CREATE TABLE payloads (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    source      TEXT NOT NULL,
    resource    TEXT NOT NULL,
    url         TEXT NOT NULL,
    status      INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    sha256      TEXT NOT NULL,
    size        INTEGER NOT NULL,
    loaded      INTEGER NOT NULL, -- 1: its bars are in the store
    changed     INTEGER NOT NULL DEFAULT 0, -- how many bars it inserted or revised
    UNIQUE (source, resource, received_at, sha256)
) STRICT;
CREATE INDEX payloads_by_sha256 ON payloads (sha256);

-- Prices are canonical decimal text: no exponent, no trailing zeros. So equal
-- numbers are equal text.
CREATE TABLE bars (
    instrument_id INTEGER NOT NULL REFERENCES instruments (id),
    interval      TEXT NOT NULL,
    start         INTEGER NOT NULL, -- seconds since 1970; a date is its midnight UTC
    open          TEXT NOT NULL,
    high          TEXT NOT NULL,
    low           TEXT NOT NULL,
    close         TEXT NOT NULL,
    volume        TEXT,
    provisional   INTEGER NOT NULL,
    known_at      INTEGER NOT NULL, -- when its payload was received
    payload_id    INTEGER NOT NULL REFERENCES payloads (id),
    PRIMARY KEY (instrument_id, interval, start)
) STRICT, WITHOUT ROWID;

-- What bars said before.
CREATE TABLE revisions (
    instrument_id INTEGER NOT NULL REFERENCES instruments (id),
    interval      TEXT NOT NULL,
    start         INTEGER NOT NULL,
    known_at      INTEGER NOT NULL,
    open          TEXT NOT NULL,
    high          TEXT NOT NULL,
    low           TEXT NOT NULL,
    close         TEXT NOT NULL,
    volume        TEXT,
    provisional   INTEGER NOT NULL,
    payload_id    INTEGER NOT NULL REFERENCES payloads (id),
    replaced_by   INTEGER NOT NULL REFERENCES payloads (id),
    PRIMARY KEY (instrument_id, interval, start, known_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    source     TEXT NOT NULL,
    symbol     TEXT NOT NULL,
    interval   TEXT NOT NULL,
    start      INTEGER NOT NULL,
    raw        TEXT NOT NULL,
    reason     TEXT NOT NULL,
    loaded     INTEGER NOT NULL,
    payload_id INTEGER NOT NULL REFERENCES payloads (id),
    found_at   INTEGER NOT NULL,
    UNIQUE (source, symbol, interval, start, raw, reason)
) STRICT;

-- The schema itself keeps what a changed bar said before, whoever changes it.
-- +goose StatementBegin
CREATE TRIGGER bars_keep_revision BEFORE UPDATE ON bars
WHEN OLD.open <> NEW.open OR OLD.high <> NEW.high OR OLD.low <> NEW.low OR OLD.close <> NEW.close
    OR OLD.volume IS NOT NEW.volume OR OLD.provisional <> NEW.provisional
BEGIN
    INSERT INTO revisions VALUES (OLD.instrument_id, OLD.interval, OLD.start, OLD.known_at,
        OLD.open, OLD.high, OLD.low, OLD.close, OLD.volume, OLD.provisional, OLD.payload_id, NEW.payload_id);
END;
-- +goose StatementEnd

-- Only simulated bars are ever deleted.
-- +goose StatementBegin
CREATE TRIGGER bars_never_deleted BEFORE DELETE ON bars
WHEN (SELECT source FROM instruments WHERE id = OLD.instrument_id) <> 'simulated'
BEGIN
    SELECT RAISE(ABORT, 'bars are never deleted');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER revisions_never_deleted BEFORE DELETE ON revisions
WHEN (SELECT source FROM instruments WHERE id = OLD.instrument_id) <> 'simulated'
BEGIN
    SELECT RAISE(ABORT, 'revisions are never deleted');
END;
-- +goose StatementEnd
