"""Training, measuring and calibrating the evidence reader."""
