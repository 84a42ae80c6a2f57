-- +goose Up
-- How often a source is asked, so that whoever reads the store can say how late it is and
-- what is left of its quota.
ALTER TABLE sources
    ADD COLUMN poll    INTEGER NOT NULL DEFAULT 0, -- seconds; 0: when it publishes
    ADD COLUMN per_day INTEGER NOT NULL DEFAULT 0; -- requests; 0: no bound
