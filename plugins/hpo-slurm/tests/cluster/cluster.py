"""A real Slurm of one node with fake GPUs, started by the tests from Debian's packages.

It has no accounting database and no authentication service, and runs as the user of the tests.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

CONFIG = """
ClusterName=test{port}
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/none
AuthInfo=cred_expire=5
CredType=cred/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin={task}
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=CANCEL
MpiDefault=none
KillWait=2
MinJobAge=300
SlurmdTimeout=300
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=16000 Gres=gpu:4
PartitionName=debug Nodes={node} Default=YES MaxTime=INFINITE State=UP DefMemPerCPU=200
PartitionName=urgent Nodes={node} PriorityTier=10 State=UP DefMemPerCPU=200
"""

CGROUP = "CgroupMountpoint=/sys/fs/cgroup\nCgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\n"

STARTS_IN = 30.0
"""Seconds in which a daemon has started."""


class Cluster:
    """A running cluster; a context manager.

    Args:
        folder: Where its files go.

    Attributes:
        node: The name of its node.
        limits_memory: Whether this machine lets Slurm limit the memory of jobs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        port = _free_port()
        self.node = f"node{port}"
        host = socket.gethostname().partition(".")[0]
        self.limits_memory = os.getuid() == 0 and os.path.isdir("/sys/fs/cgroup/memory")
        for name in ("state", "spool"):
            (folder / name).mkdir(parents=True)
        devices = "/dev/null"
        if os.getuid() == 0:  # what Slurm takes for GPUs must be devices
            devices = f"{folder}/gpu[0-3]"
            for number in range(4):
                os.mknod(folder / f"gpu{number}", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        task = "task/cgroup" if self.limits_memory else "task/none"
        self.config = folder / "slurm.conf"
        self.config.write_text(
            CONFIG.format(
                port=port,
                node_port=_free_port(),
                host=host,
                user=getpass.getuser(),
                folder=folder,
                node=self.node,
                task=task,
            )
        )
        (folder / "gres.conf").write_text(f"NodeName={self.node} Name=gpu File={devices}\n")
        (folder / "cgroup.conf").write_text(CGROUP)

    def __enter__(self) -> Cluster:
        self.start_controller()
        self.start_node()
        return self

    def __exit__(self, *_: object) -> None:
        self.command("scancel", f"--user={getpass.getuser()}")
        self.until(lambda: not self.command("squeue", "--noheader").strip())
        for name in ("slurmd", "slurmctld"):
            self.signal(name, signal.SIGTERM)
        groups = Path(f"/sys/fs/cgroup/memory/slurm_{self.node}")
        if groups.is_dir():
            groups.rmdir()

    def command(self, *arguments: str) -> str:
        """Run a command of Slurm; return what it prints."""
        ended = subprocess.run(
            arguments,
            env={**os.environ, "SLURM_CONF": str(self.config)},
            capture_output=True,
            text=True,
            timeout=STARTS_IN,
        )
        return ended.stdout + ended.stderr

    def start_controller(self) -> None:
        """Start slurmctld, and wait until it answers."""
        self._start("slurmctld")
        self.until(lambda: "UP" in self.command("scontrol", "ping"))

    def start_node(self) -> None:
        """Start slurmd, and wait until its node takes jobs."""
        self._start("slurmd", "-N", self.node)
        self.until(lambda: self.state() in ("idle", "mixed", "allocated", "completing"))

    def state(self) -> str:
        """Return the state of the node, without flags."""
        return self.command("sinfo", "-h", "-p", "debug", "-o", "%T").strip().rstrip("*~#")

    def signal(self, daemon: str, number: int) -> None:
        """Send a signal to a daemon that ends it, and wait until it has ended."""
        path = self.folder / f"{daemon}.pid"
        if not path.exists():
            return
        pid = int(path.read_text())
        os.kill(pid, number)
        self.until(lambda: not os.path.exists(f"/proc/{pid}"))
        path.unlink(missing_ok=True)

    def save_jobs(self, job: str) -> None:
        """Wait until slurmctld has saved its jobs, of which one is given.

        It does so seconds after a change. Killed before that, it starts running jobs once more, and
        drains their node since that refuses them.
        """
        saved = self.folder / "state" / "job_state"
        before = saved.stat().st_mtime_ns if saved.exists() else 0
        self.command("scontrol", "update", f"JobId={job}", "AdminComment=saved")
        self.until(lambda: saved.exists() and saved.stat().st_mtime_ns > before)

    def jobs(self, layout: str = "%i %T") -> list[str]:
        """Return a line for each job that Slurm knows."""
        return self.command(
            "squeue", "--noheader", "--array", "--states=all", f"--format={layout}"
        ).splitlines()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that Slurm has no event for."""
        pause = threading.Event()
        for _ in range(int(STARTS_IN / 0.1)):
            if holds():
                return
            pause.wait(0.1)
        raise AssertionError(f"it has not come about in {STARTS_IN} s\n{self.logs()}")

    def logs(self) -> str:
        """Return the ends of the logs of Slurm."""
        return "\n".join(path.read_text()[-2000:] for path in self.folder.glob("*.log"))

    def _start(self, daemon: str, *arguments: str) -> None:
        program = shutil.which(daemon) or f"/usr/sbin/{daemon}"
        subprocess.run(
            [program, *arguments],
            env={**os.environ, "SLURM_CONF": str(self.config)},
            check=True,
            timeout=STARTS_IN,
        )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
