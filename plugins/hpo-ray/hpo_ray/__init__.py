"""Ray for hpo-core: the jobs of a study run on actors of a Ray cluster.

plugin      the entry point
options     the options of the backend
backend     RayBackend: a WorkerPool whose workers are Ray actors
connection  starts the driver, and talks to it
driver      the process that is a Ray driver: it starts and ends actors
messages    what the two say to each other
actor       the actor: it runs a worker as a child of its process
"""
