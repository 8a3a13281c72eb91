"""The kit for backends whose jobs run on other machines: what an author of a backend needs.

    backend     RemoteBackend: a Backend for everything but the engine that starts jobs
    engine_side what an author of a RemoteBackend writes, and what that may call
    agent_host  agents connect here, and what they say is passed on to their jobs
    remote_jobs the jobs under way: what agents and the engine say becomes events
    job_files   the orders and records of jobs, in the folder that jobs share
    remote_job  what is known of one job, and how it ends
    order       JobOrder: all that another process needs to run a job, as JSON
    agent       runs one order, with the backend `local`, and reports to the controller
    run_order   starts an agent as a child of this process, for engines that call functions
    worker_pool WorkerPool: a RemoteBackend whose engine starts workers that run many jobs
    driven_pool DrivenPool: a WorkerPool whose engine is used by another process, its driver
    driver_process  the controller's end of the connection to a driver
    driver      the driver's end: what the module of a driver calls
    driver_messages what the two say to each other
    worker_numbers  the number of each worker, from 0
    worker      an agent that runs one job after the other
    channel     the controller's end: takes the connections of agents
    reporter    the agent's end: connects, and connects again
    mailbox     calls that other threads hand over
    wire        signed lines of JSON between the two
    endpoint    the study's key, and where its controller listens
    records     what an agent says of its job
    spool       the file that holds these records until the controller has them

    controller -- RemoteBackend -- engine (a scheduler, a cluster) -- agent -- local -- job
                       |                                                |
                       +------ channel ---- TCP ---- reporter ----------+
                       +------ spool, in a shared folder ---------------+

Everything that is received is JSON, of a bounded size, and signed with the study's key; nothing is
pickled.
"""
