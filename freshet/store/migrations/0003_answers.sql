-- Answers that were given, and what people said of them.

CREATE TABLE answers (
    answer_id uuid PRIMARY KEY,
    asked_at  timestamptz NOT NULL,
    question  text NOT NULL,
    answer    text NOT NULL,
    outcome   text NOT NULL CHECK (outcome IN ('grounded', 'refused')),
    answerer  text NOT NULL CHECK (answerer IN ('model', 'extractive')),
    model     text,
    degraded  jsonb NOT NULL,   -- parts that did not take part, with the reason
    doc_ids   text[] NOT NULL,  -- the documents cited, in the order of their numbers
    took_ms   double precision NOT NULL
);
CREATE INDEX answers_asked_at ON answers (asked_at DESC);

CREATE TABLE feedback (
    feedback_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    answer_id   uuid NOT NULL REFERENCES answers ON DELETE CASCADE,
    given_at    timestamptz NOT NULL DEFAULT now(),
    rating      text NOT NULL CHECK (rating IN ('up', 'down')),
    comment     text
);
CREATE INDEX feedback_answer_id ON feedback (answer_id);
