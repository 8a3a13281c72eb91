"""Settings of all tests, those of the plugins too."""

import contextlib

with contextlib.suppress(ModuleNotFoundError):  # environments of some integrations have none
    from hypothesis import settings

    settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
    settings.load_profile("untimed")
