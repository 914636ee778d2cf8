-- Words in every language, and the indexes by which filters, pages and reverts are found.

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- The dictionary of a wiki's language; 'simple' (no stemming) where Postgres has none.
CREATE OR REPLACE FUNCTION text_search_config(language text) RETURNS regconfig
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE language
        WHEN 'ar' THEN 'arabic'::regconfig
        WHEN 'ca' THEN 'catalan'::regconfig
        WHEN 'da' THEN 'danish'::regconfig
        WHEN 'de' THEN 'german'::regconfig
        WHEN 'el' THEN 'greek'::regconfig
        WHEN 'en' THEN 'english'::regconfig
        WHEN 'es' THEN 'spanish'::regconfig
        WHEN 'et' THEN 'estonian'::regconfig
        WHEN 'eu' THEN 'basque'::regconfig
        WHEN 'fi' THEN 'finnish'::regconfig
        WHEN 'fr' THEN 'french'::regconfig
        WHEN 'ga' THEN 'irish'::regconfig
        WHEN 'hi' THEN 'hindi'::regconfig
        WHEN 'hu' THEN 'hungarian'::regconfig
        WHEN 'hy' THEN 'armenian'::regconfig
        WHEN 'id' THEN 'indonesian'::regconfig
        WHEN 'it' THEN 'italian'::regconfig
        WHEN 'lt' THEN 'lithuanian'::regconfig
        WHEN 'nb' THEN 'norwegian'::regconfig
        WHEN 'ne' THEN 'nepali'::regconfig
        WHEN 'nl' THEN 'dutch'::regconfig
        WHEN 'nn' THEN 'norwegian'::regconfig
        WHEN 'no' THEN 'norwegian'::regconfig
        WHEN 'pt' THEN 'portuguese'::regconfig
        WHEN 'ro' THEN 'romanian'::regconfig
        WHEN 'ru' THEN 'russian'::regconfig
        WHEN 'simple' THEN 'english'::regconfig
        WHEN 'sr' THEN 'serbian'::regconfig
        WHEN 'sv' THEN 'swedish'::regconfig
        WHEN 'ta' THEN 'tamil'::regconfig
        WHEN 'tr' THEN 'turkish'::regconfig
        WHEN 'yi' THEN 'yiddish'::regconfig
        ELSE 'simple'::regconfig
    END;

-- Scripts that set no spaces between words (Thai, Lao, Burmese, Khmer, kana, Han) or hang particles on them (Hangul) are
-- searched by pairs of neighbouring letters.
CREATE FUNCTION letter_pairs(content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN content ~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2}' THEN (
        SELECT array_agg(DISTINCT substr(run[1], place, 2))
        FROM regexp_matches(
            lower(content), '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{2,}', 'g'
        ) AS run, generate_series(1, length(run[1]) - 1) AS place
    ) END;

CREATE FUNCTION words_of(language text, content text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector(text_search_config(language), content) || array_to_tsvector(coalesce(letter_pairs(content), '{}'));

ALTER TABLE documents ALTER COLUMN words SET EXPRESSION AS (words_of(language, text));

-- The words of documents in languages without a dictionary: other forms of a query's word are found among them by their
-- letters. (Comparing the word with the documents' texts themselves took 800 ms for 200,000 of them.)
CREATE TABLE lexemes (lexeme text PRIMARY KEY);
CREATE INDEX lexemes_similar ON lexemes USING gin (lexeme gin_trgm_ops);

CREATE FUNCTION lexemes_of(language text, words tsvector) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT lexeme FROM unnest(tsvector_to_array(words)) AS lexeme
    WHERE text_search_config(language) = 'simple'::regconfig AND lexeme ~ '^[[:alpha:]]{4,40}$';
END;

CREATE INDEX documents_page ON documents (wiki, title, event_time DESC);
CREATE INDEX documents_wiki ON documents (wiki, event_time DESC);
CREATE INDEX documents_language ON documents (language, event_time DESC);
-- Of pages with many edits only those that undo others matter.
CREATE INDEX documents_reverts ON documents (wiki, title, revision_id) WHERE revert_kind IS NOT NULL;

INSERT INTO lexemes SELECT DISTINCT lexemes_of(language, words) FROM documents;

-- Like the function before, but the vector index is built with care: of 200,000 vectors it finds .99 of the ten nearest
-- where the default (64) finds .94, and an insert costs 4.2 ms instead of 1.9. An index that is there already is
-- extended so from now on; REINDEX makes it anew.
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
    EXECUTE format('CREATE TABLE %I (content_hash text PRIMARY KEY, embedding halfvec(%s) NOT NULL)', name, dims);
    PERFORM add_vector_index(name);
    IF wanted_state = 'active' AND EXISTS (SELECT FROM embedding_models WHERE state = 'active') THEN
        wanted_state := 'building';
    END IF;
    INSERT INTO embedding_models (model_id, dimensions, table_name, state) VALUES (model, dims, name, wanted_state);
    RETURN name;
END $$;

CREATE FUNCTION add_vector_index(table_name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'CREATE INDEX %I ON %I USING hnsw (embedding halfvec_cosine_ops) WITH (ef_construction = 200)',
        table_name || '_hnsw', table_name
    );
END $$;

DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT table_name FROM embedding_models LOOP
        EXECUTE format('ALTER INDEX %I SET (ef_construction = 200)', name || '_hnsw');
    END LOOP;
END $$;
