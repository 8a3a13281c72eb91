"""The observers that come with hpo-core: `progress`, what ``hpo run`` shows while it runs."""
