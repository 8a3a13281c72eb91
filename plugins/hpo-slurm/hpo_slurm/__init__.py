"""The backend `slurm`: each job of a study is a Slurm job.

plugin     what hpo-core loads
options    where and how jobs run, as a study says it
script     the batch script, and the options of sbatch
commands   sbatch, squeue, scancel and scontrol, in a thread of their own
states     what Slurm says of a job, and what that means
batches    which jobs of the study are which Slurm jobs
backend    the backend
"""
