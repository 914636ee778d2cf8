"""One machine: the embedded stack under one supervisor, the `freshet` command, the audit and the benchmarks."""
