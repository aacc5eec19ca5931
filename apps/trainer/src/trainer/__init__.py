"""The trainer: a config file goes in, events and artifacts come out."""
