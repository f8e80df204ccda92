"""Passages to hits: embedding, storing, syncing, searching."""
