"""The backends that come with hpo-core: `inline` and `local`; each is a plugin like any other."""
