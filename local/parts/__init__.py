"""The parts of the platform, one module each."""
