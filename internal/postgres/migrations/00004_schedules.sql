-- +goose Up
-- How often a source is polled, in seconds, and how many requests a day it allows; 0 where
-- it is asked when it publishes, and as often as one likes. From these readers tell how
-- late a source is and what is left of its quota.
ALTER TABLE sources ADD COLUMN poll BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sources ADD COLUMN per_day INTEGER NOT NULL DEFAULT 0;
