-- Documents, their embeddings by model, and what is pending.

CREATE EXTENSION IF NOT EXISTS vector;

-- 'english' where the dictionary fits, 'simple' (no stemming) for every other language.
CREATE FUNCTION text_search_config(language text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN language IN ('en', 'simple') THEN 'english'::regconfig ELSE 'simple'::regconfig END;

CREATE TABLE documents (
    doc_id               text PRIMARY KEY,
    event_id             text NOT NULL,
    event_time           timestamptz NOT NULL,
    wiki                 text NOT NULL,
    language             text,
    type                 text NOT NULL,
    namespace            integer NOT NULL,
    title                text NOT NULL,
    section              text,
    comment              text NOT NULL,
    text                 text NOT NULL,
    content_hash         text NOT NULL,
    user_name            text,
    user_kind            text NOT NULL,
    minor                boolean,
    bytes_delta          bigint,
    revision_id          bigint,
    parent_revision_id   bigint,
    page_url             text,
    diff_url             text,
    quality_flags        text[] NOT NULL DEFAULT '{}',
    revert_kind          text,
    reverted_user        text,
    reverted_revision_id bigint,
    restored_revision_id bigint,
    source               text NOT NULL,
    received_at          timestamptz NOT NULL,
    raw_topic            text NOT NULL,
    raw_partition        integer NOT NULL,
    raw_offset           bigint NOT NULL,
    raw_timestamp        timestamptz NOT NULL,
    transform_version    text NOT NULL,
    gold_at              timestamptz NOT NULL,  -- timestamp of the record in wiki.gold
    searchable_at        timestamptz NOT NULL,  -- taken as the last statement of the transaction that made it searchable
    words                tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector(text_search_config(language), text)) STORED
);

CREATE INDEX documents_words ON documents USING gin (words);
CREATE INDEX documents_content_hash ON documents (content_hash);
CREATE INDEX documents_event_time ON documents (event_time DESC);
CREATE INDEX documents_searchable_at ON documents (searchable_at DESC);

-- One row a model; exactly one is active. Its vectors are in the table `table_name`, which `add_embedding_model` makes.
CREATE TABLE embedding_models (
    model_id   text PRIMARY KEY CHECK (model_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),  -- so short that names made of it are whole
    dimensions integer NOT NULL CHECK (dimensions BETWEEN 1 AND 4000),
    table_name text NOT NULL UNIQUE,
    state      text NOT NULL CHECK (state IN ('active', 'building', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX embedding_models_one_active ON embedding_models ((true)) WHERE state = 'active';

-- Texts whose embedding could not be made yet: searchable by words, retried until it can. Whoever tries one moves its
-- `retry_at` ahead, more with each attempt, so that a bad text neither holds up the others nor is tried by two at once.
CREATE TABLE pending_embeddings (
    content_hash text NOT NULL,
    model_id     text NOT NULL REFERENCES embedding_models ON DELETE CASCADE,
    text         text NOT NULL,
    error        text NOT NULL,
    since        timestamptz NOT NULL DEFAULT now(),
    attempts     integer NOT NULL DEFAULT 1,
    retry_at     timestamptz NOT NULL DEFAULT now() + interval '2 seconds',
    PRIMARY KEY (content_hash, model_id)
);
CREATE INDEX pending_embeddings_retry_at ON pending_embeddings (model_id, retry_at);

-- Registers a model and makes its table: a vector a content hash, never in a row that mutates. Where another model is
-- active already, the new one is being built. Does nothing the second time; raises when the model is known with other
-- dimensions.
CREATE FUNCTION add_embedding_model(model text, dims integer, wanted_state text) RETURNS text LANGUAGE plpgsql AS $$
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
    EXECUTE format('CREATE TABLE %I (content_hash text PRIMARY KEY, embedding halfvec(%s) NOT NULL)', name, dims);
    EXECUTE format('CREATE INDEX %I ON %I USING hnsw (embedding halfvec_cosine_ops)', name || '_hnsw', name);
    IF wanted_state = 'active' AND EXISTS (SELECT FROM embedding_models WHERE state = 'active') THEN
        wanted_state := 'building';
    END IF;
    INSERT INTO embedding_models (model_id, dimensions, table_name, state) VALUES (model, dims, name, wanted_state);
    RETURN name;
END $$;
