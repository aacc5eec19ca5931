"""A small OpenAI-compatible embeddings server around one sentence-transformers model of the BERT family."""
