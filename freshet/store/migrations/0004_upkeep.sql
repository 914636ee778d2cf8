-- What jobs of upkeep did, or would do: one row a part of a run, such as a chunk of a replay.

CREATE TABLE upkeep_reports (
    dag_id     text NOT NULL,
    run_id     text NOT NULL,
    part       text NOT NULL,
    dry_run    boolean NOT NULL,
    started_at timestamptz NOT NULL,
    seconds    double precision NOT NULL,
    report     jsonb NOT NULL,
    PRIMARY KEY (dag_id, run_id, part)
);
CREATE INDEX upkeep_reports_started_at ON upkeep_reports (dag_id, started_at DESC);
