"""The backend `slurm`: each job of a study is a Slurm job.

plugin     what hpo-core loads
options    where and how jobs run, as a study says it
script     the batch script, and the options of sbatch
commands   sbatch, squeue, scancel and scontrol, in a thread of their own
states     what Slurm says of a job, and what that means
batches    which jobs of the study are which Slurm jobs
submitter  jobs are submitted, and cancelled
watcher    Slurm is asked about jobs that do not speak for themselves
slurm_queue  the Slurm jobs of a study
warn_once  what users are told once
backend    the backend, made of these
"""
