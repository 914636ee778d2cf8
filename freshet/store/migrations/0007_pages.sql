-- What a page is about, as a knowledge base says it in a short phrase: asked once, it serves all edits of the page.

CREATE TABLE pages (
    wiki         text NOT NULL,
    title        text NOT NULL,
    event_time   timestamptz NOT NULL,  -- of the newest edit of the page that was seen
    asked_since  timestamptz NOT NULL,  -- received_at of the edit for which it is, or was last, asked
    due_at       timestamptz,           -- when to ask; null: there is nothing to ask
    priority     smallint NOT NULL,     -- 0: nothing is known yet, 1: what is known is old, 2: backfill
    attempts     integer NOT NULL DEFAULT 0,
    error        text,                  -- of the last attempt, while it waits for the next
    fetched_at   timestamptz,           -- when it was answered last; without an item: that there is none
    stale_at     timestamptz,           -- from then on an edit has it asked again
    origin       text,                  -- who said it
    item_id      text,
    label        text,
    description  text,
    language     text,                  -- of the description
    moved_to     text,                  -- the title that the page has now
    text         text,                  -- what is embedded: title, label and description; null without any
    content_hash text,                  -- sha256 of text, hexadecimal
    PRIMARY KEY (wiki, title),
    CHECK ((text IS NULL) = (content_hash IS NULL))
);
CREATE INDEX pages_due ON pages (priority, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pages_content_hash ON pages (content_hash) WHERE content_hash IS NOT NULL;
CREATE INDEX pages_fetched_at ON pages (fetched_at DESC) WHERE fetched_at IS NOT NULL;

-- A page's text waits for its vector as an edit's does, and may be the same text.
ALTER TABLE pending_embeddings ADD COLUMN texts text NOT NULL DEFAULT 'documents' CHECK (texts IN ('documents', 'pages'));
ALTER TABLE pending_embeddings DROP CONSTRAINT pending_embeddings_pkey, ADD PRIMARY KEY (content_hash, model_id, texts);
DROP INDEX pending_embeddings_retry_at;
CREATE INDEX pending_embeddings_retry_at ON pending_embeddings (model_id, texts, retry_at);

-- `made_at` says from when on a page's edits were found by it.
CREATE FUNCTION add_page_vectors(table_name text, dims integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE TABLE %I (content_hash text PRIMARY KEY, embedding halfvec(%s) NOT NULL,'
        ' made_at timestamptz NOT NULL DEFAULT clock_timestamp())', 'page_' || table_name, dims
    );
END $$;

-- Like the function before, with a table for the vectors of pages.
CREATE OR REPLACE FUNCTION add_embedding_model(model text, dims integer, wanted_state text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    name text := 'embeddings_' || replace(model, '-', '_');
    known integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('add_embedding_model'));
    SELECT dimensions INTO known FROM embedding_models WHERE model_id = model;
    IF known IS NOT NULL THEN
        IF known <> dims THEN
            RAISE EXCEPTION 'model % has % dimensions in the store, not %', model, known, dims;
        END IF;
        RETURN (SELECT table_name FROM embedding_models WHERE model_id = model);
    END IF;
    IF wanted_state = 'active' AND EXISTS (SELECT FROM embedding_models WHERE state = 'active') THEN
        wanted_state := 'building';
    END IF;
    EXECUTE format('CREATE TABLE %I (content_hash text PRIMARY KEY, embedding halfvec(%s) NOT NULL)', name, dims);
    PERFORM add_page_vectors(name, dims);
    IF wanted_state = 'active' THEN
        PERFORM add_vector_index(name);
        PERFORM add_vector_index('page_' || name);
    END IF;
    INSERT INTO embedding_models (model_id, dimensions, table_name, state) VALUES (model, dims, name, wanted_state);
    RETURN name;
END $$;

DO $$
DECLARE
    model record;
BEGIN
    FOR model IN SELECT table_name, dimensions, state FROM embedding_models LOOP
        PERFORM add_page_vectors(model.table_name, model.dimensions);
        IF model.state <> 'building' THEN
            PERFORM add_vector_index('page_' || model.table_name);
        END IF;
    END LOOP;
END $$;
