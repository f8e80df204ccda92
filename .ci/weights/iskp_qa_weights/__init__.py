"""Weights of iskp-qa: files alone, found by ``index/weights.py``; their model cards lie beside them."""
