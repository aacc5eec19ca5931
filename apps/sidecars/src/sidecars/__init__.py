"""Small loopback servers: Qdrant's engine over REST, OpenAI-compatible embeddings, main content of web pages."""
