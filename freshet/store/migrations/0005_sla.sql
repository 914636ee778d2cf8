-- What the freshness checks found, and the breaches among it.

CREATE TABLE sla_checks (
    checked_at timestamptz NOT NULL,
    name       text NOT NULL,
    state      text NOT NULL CHECK (state IN ('ok', 'breach', 'quiet', 'unknown')),
    value      double precision,
    unit       text NOT NULL,
    threshold  double precision,
    detail     text NOT NULL,
    PRIMARY KEY (checked_at, name)
);

-- A breach lasts from the first check that found it to the first that found it over. Each channel is told of both once:
-- `told_begin` and `told_end` name those that were.
CREATE TABLE sla_breaches (
    breach_id  uuid PRIMARY KEY,
    name       text NOT NULL,
    begun_at   timestamptz NOT NULL,
    ended_at   timestamptz,
    value      double precision,
    unit       text NOT NULL,
    threshold  double precision,
    detail     text NOT NULL,
    told_begin text[] NOT NULL DEFAULT '{}',
    told_end   text[] NOT NULL DEFAULT '{}'
);
CREATE INDEX sla_breaches_open ON sla_breaches (name) WHERE ended_at IS NULL;
CREATE INDEX sla_breaches_ended_at ON sla_breaches (ended_at);
