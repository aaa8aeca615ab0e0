"""What lies on disk: records, caches, manifests, and the state of the last build. Imports no torch."""
