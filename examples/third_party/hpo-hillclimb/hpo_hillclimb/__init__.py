"""Hill climbing with restarts, for hpo-core."""
