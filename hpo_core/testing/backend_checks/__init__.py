"""The promises of a backend, one test each; `hpo_core.testing.backends` combines them.

base      how a backend is built and driven, and its attributes
running   jobs start and report
ending    jobs end: normally, when cancelled, at their limits
waiting   `events` waits, and nothing polls
distance  workers are lost, networks are slow and break, machines have resources
leaving   nothing is left behind: after close, or after a controller was killed
"""
