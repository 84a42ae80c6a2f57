-- +goose Up
-- Corporate actions: each row is a whole list, as a payload said it that differs from
-- the list known before. So what was known at a time is the newest row until then.
CREATE TABLE actions (
    instrument_id INTEGER NOT NULL REFERENCES instruments (id),
    kind          TEXT NOT NULL,
    known_at      INTEGER NOT NULL, -- when its payload was received
    payload_id    INTEGER NOT NULL REFERENCES payloads (id),
    list          TEXT NOT NULL CHECK (json_valid(list)), -- [["2026-03-02","0.26"], …], ascending
    PRIMARY KEY (instrument_id, kind, known_at)
) STRICT, WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER actions_never_changed BEFORE UPDATE ON actions
BEGIN
    SELECT RAISE(ABORT, 'actions are never changed');
END;
-- +goose StatementEnd

-- Only simulated actions are ever deleted.
-- +goose StatementBegin
CREATE TRIGGER actions_never_deleted BEFORE DELETE ON actions
WHEN (SELECT source FROM instruments WHERE id = OLD.instrument_id) <> 'simulated'
BEGIN
    SELECT RAISE(ABORT, 'actions are never deleted');
END;
-- +goose StatementEnd

-- How many requests of a day have been taken. A source may be asked before it has a row
-- in sources.
CREATE TABLE quotas (
    source  TEXT NOT NULL,
    day     INTEGER NOT NULL, -- days since 1970
    spent   INTEGER NOT NULL,
    last_at INTEGER NOT NULL, -- when the last one was taken
    PRIMARY KEY (source, day)
) STRICT, WITHOUT ROWID;
