"""The promises of a backend, a test each; `hpo_core.testing.backends` puts them together.

base      how a backend is made and driven, and what it says of itself
running   jobs start and report
ending    jobs end: by themselves, because they are cancelled, because their time is up
waiting   events waits, and nothing polls
distance  workers are lost, networks are slow and break, machines have resources
leaving   nothing is left behind: by close, or by a controller that was killed
"""
