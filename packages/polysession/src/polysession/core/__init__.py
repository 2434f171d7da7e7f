"""What a session is. See README.md beside this file."""
