"""A stand-in for a model behind OpenAI's chat completions: deterministic, cheap, with faults on demand."""
