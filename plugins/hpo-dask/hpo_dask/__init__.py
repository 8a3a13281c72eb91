"""Dask for hpo-core: the jobs of a study run on the workers of a Dask cluster.

plugin      the entry point
options     the options of the backend
backend     DaskBackend: a pool whose workers run as Dask tasks
settings    what the driver needs to know of a study
driver      the process that is a Dask client: it connects to a cluster, or starts one
tasks       the Dask tasks of a study, which the driver starts and ends
host        in a Dask worker's process: runs workers as its children
devices     the GPUs of a Dask worker, and which task has which
code        the folder of the jobs, packed and unpacked
"""
