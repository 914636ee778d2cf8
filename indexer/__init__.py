"""Documents from `wiki.gold` into Postgres, with their vectors, as soon as they are there."""
