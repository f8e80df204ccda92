"""Hits to answers: evidence, decision, composition; command line and page."""
