-- Moving to another model: a table that is filled before its vector index is made, and how far that is.

-- Like the function before, but a model that is being built gets no vector index: adding to one costs many times
-- what making it afterwards does.
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
    IF wanted_state = 'active' THEN
        PERFORM add_vector_index(name);
    END IF;
    INSERT INTO embedding_models (model_id, dimensions, table_name, state) VALUES (model, dims, name, wanted_state);
    RETURN name;
END $$;

-- What is embedded beside the stream: one row a model, while that lasts.
CREATE TABLE embedding_progress (
    model_id         text PRIMARY KEY REFERENCES embedding_models ON DELETE CASCADE,
    phase            text NOT NULL,
    texts            bigint NOT NULL,  -- that there were to embed when it began
    done             bigint NOT NULL,  -- of those
    texts_per_second double precision,
    started_at       timestamptz NOT NULL DEFAULT now(),
    noted_at         timestamptz NOT NULL DEFAULT now()
);
