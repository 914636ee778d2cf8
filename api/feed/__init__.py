"""The live feed: silver's records from the log to every listener, each event once."""
