-- +goose Up
-- Corporate actions: each row is a whole list, as a payload said it that differs from
-- the list known before. So what was known at a time is the newest row until then.
CREATE TABLE actions (
    known_at      TIMESTAMPTZ NOT NULL, -- when its payload was received, to the microsecond
    payload_id    BIGINT NOT NULL REFERENCES payloads (id),
    instrument_id INTEGER NOT NULL REFERENCES instruments (id),
    kind          TEXT COLLATE "C" NOT NULL,
    list          JSONB NOT NULL, -- [["2026-03-02","0.26"], …], ascending
    PRIMARY KEY (instrument_id, kind, known_at)
);

-- +goose StatementBegin
CREATE FUNCTION refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% are never changed', TG_TABLE_NAME;
END
$$;
-- +goose StatementEnd

CREATE TRIGGER actions_never_changed BEFORE UPDATE ON actions FOR EACH ROW EXECUTE FUNCTION refuse_update();
CREATE TRIGGER actions_never_deleted BEFORE DELETE ON actions FOR EACH ROW EXECUTE FUNCTION refuse_delete();
CREATE TRIGGER actions_never_truncated BEFORE TRUNCATE ON actions FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete();

-- How many requests of a day have been taken. A source may be asked before it has a row
-- in sources.
CREATE TABLE quotas (
    last_at TIMESTAMPTZ NOT NULL, -- when the last one was taken
    day     DATE NOT NULL,
    spent   INTEGER NOT NULL,
    source  TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (source, day)
);
