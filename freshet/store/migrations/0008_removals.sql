-- What was removed, and must not come back.

-- The newest word on each target: a page, a revision, a user or an event, named by a hash alone. It hides what has the
-- target and happened no later than `until`, unless it was lifted. Words may arrive in any order and more than once.
CREATE TABLE removals (
    target      text NOT NULL CHECK (target ~ '^[0-9a-f]{64}$'),
    origin      text NOT NULL CHECK (origin IN ('stream', 'hand')),
    kind        text NOT NULL CHECK (kind IN ('page', 'revision', 'user', 'event')),
    wiki        text NOT NULL,        -- empty where it is of all wikis
    until       timestamptz NOT NULL,
    lifted      boolean NOT NULL,     -- what was hidden may be shown again
    event_id    text,                 -- of the log event that said so; null by hand
    noted_at    timestamptz NOT NULL DEFAULT now(),
    lake_at     timestamptz,          -- when the lake was last searched for it
    PRIMARY KEY (target, origin)
);

-- Every event that was taken away or kept out, so that it is neither shown again nor taken for lost.
CREATE TABLE removed_events (
    event_id      text PRIMARY KEY,
    target        text NOT NULL,
    origin        text NOT NULL,
    kind          text NOT NULL,
    raw_topic     text NOT NULL,
    raw_partition integer NOT NULL,
    raw_offset    bigint NOT NULL,
    removed_at    timestamptz NOT NULL DEFAULT now(),
    lake_at       timestamptz          -- when its rows were taken out of the lake
);
CREATE INDEX removed_events_waiting ON removed_events (removed_at) WHERE lake_at IS NULL;

CREATE INDEX documents_revision ON documents (wiki, revision_id) WHERE revision_id IS NOT NULL;
CREATE INDEX answers_doc_ids ON answers USING gin (doc_ids);
