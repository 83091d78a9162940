"""Where predictions come from: prompts, the vLLM server and its client, adapters, training."""
