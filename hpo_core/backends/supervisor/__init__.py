"""The supervisor: a process that starts a study's jobs, listens to them and sees how they end.

It is their ancestor in place of the controller, so that they can outlive it, and it alone judges
how long a job has run. One supervisor serves commands and function calls alike:

    controller ── supervisor ─┬─ launcher ── command                 one launcher for each job that
                              └─ template ── launcher ── worker      runs at a time

    boot         starts any of these processes: the one boot script
    supervisor   the process itself: what the controller asks for, and what it is told
    controller_link  the connection to the controller, or to the next one
    job_starter  starts jobs, each in a slot; has them wait until there is one
    supervised_job  one job: what it has said, its limits, its end
    start_retry  jobs are tried again that this machine had no room for
    slots        which slots there are, and which of them a job may have
    slot_opener  opens a slot: forks its launcher, or has the template fork its worker
    slot         a place for one job at a time: its launcher
    command_slot  one for commands, each with its pipe
    function_slot  one for calls of a function, with its worker
    launchers    forks launchers, and reaps them
    launcher     the parent of one job: what a job does to its parent harms that job alone
    template     a process that has imported the function's module, and is forked for each worker
    template_client  the supervisor's end of the connection to it
    forkable     whether a process may be forked after what it has imported
    worker       what runs in a worker: the study's function, job after job
    journal      what a supervisor writes down when its controller has died
    connection   a socket that never blocks, a JSON list on each line
    lines        cuts bytes into lines
    loop         waits for whatever comes first
    processes    groups, children and the exit of processes

These processes start quickly: everything here imports the standard library and `hpo_core.client`
alone. Nothing polls.
"""
