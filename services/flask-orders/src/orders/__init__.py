"""The orders service: catalogue, cart, checkout."""
