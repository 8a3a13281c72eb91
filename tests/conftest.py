"""Settings for all tests: a busy machine must not make a property test fail for being slow."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
