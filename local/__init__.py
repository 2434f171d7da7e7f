"""The platform on one machine, as `charts/` is the platform on Kubernetes."""
