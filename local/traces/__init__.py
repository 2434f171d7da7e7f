"""Where traces go on one machine: OTLP in, SQLite, Jaeger's query API and one page out.

It is for looking, not for keeping: the oldest traces go first. On Kubernetes, Jaeger takes its place.
"""
