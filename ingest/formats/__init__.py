"""One reader for each kind of file; each turns bytes into an :class:`ingest.blocks.Extract`."""
