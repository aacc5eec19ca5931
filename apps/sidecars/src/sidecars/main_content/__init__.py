"""The main content of web pages as Markdown, by trafilatura: NDJSON in, NDJSON out."""
