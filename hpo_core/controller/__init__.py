"""The controller of a study."""
