"""From Kafka records to bronze, silver, gold and rejected: pure, shared by stream, batch, replay and backfill.

Only Column expressions: real-time mode refuses Python functions and anything that moves rows. Nothing here may raise
on any payload; ANSI mode is on, so casts and arithmetic on what came in are the `try_` ones.
"""
