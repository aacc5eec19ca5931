"""Qdrant's own engine (Qdrant Edge) behind the part of Qdrant's REST API that Anneal uses."""
