"""The pages that people open: Gradio, which knows the API over HTTP and nothing else."""
