"""Ray for hpo-core: the jobs of a study run on actors of a Ray cluster.

plugin      the entry point
options     the options of the backend
backend     RayBackend: a pool whose workers are Ray actors
settings    what the driver needs to know of a study
driver      the process that is a Ray driver: it starts and ends actors
actor       the actor: it runs a worker as a child of its process
"""
