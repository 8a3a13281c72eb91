"""Answers of a strategy's process for the fuzzer: valid ones, and one that may be invalid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fuzz_data import anything, as_json, changed
from hypothesis import strategies as st

ANSWERS: dict[str, Any] = {
    "hello": {"type": "hello", "protocol": 1, "capabilities": [
        "conditional", "forbidden", "integers", "categoricals", "multi_objective", "stopping"]},
    "problem": {"type": "ready"},
    "ask": {"type": "start", "notes": {"a": 1}, "configuration": {
        "model": 1, "lr": 0.01, "scaler": 1, "size": 0, "fixed": 0}},
    "save": {"type": "state", "state": {"seen": 1}},
    "tell": {"type": "decision", "decision": "continue"},
    "adopt": {"type": "done"},
    "restore": {"type": "replay"},
}  # fmt: skip
"""What a process answers to each type of message that it may get."""

_OTHERS: list[Any] = [
    {"type": "wait"}, {"type": "exhausted"}, {"type": "resume", "trial_id": 1, "iterations": 3},
    {"type": "refuse", "faults": [{"path": "options.x", "message": "no"}]},
    {"type": "decision", "decision": "stop"}, {"type": "error", "message": "why"},
]  # fmt: skip


def _answers_to(kind: str) -> st.SearchStrategy[tuple[int, str, bytes]]:
    right = st.just(ANSWERS[kind])
    tree = right.flatmap(changed) | right.flatmap(changed) | st.sampled_from(_OTHERS) | anything
    answer = tree.map(lambda tree: as_json(tree).encode()) | st.binary(max_size=20)
    return st.tuples(st.integers(0, 20), st.just(kind), answer)


answers = st.sampled_from(list(ANSWERS)).flatmap(_answers_to)

_PROCESS = """
IFS= read -r other < answer
count=0
while read -r line; do
    count=$((count + 1))
    case "$line" in
CASES
    esac
    case "$line" in
    *'"type":"KIND"'*) [ $count -gt RIGHT ] && answer=$other ;;
    esac
    printf '%s\\n' "$answer"
done
"""


def write(right: int, kind: str, other: bytes) -> None:
    """Write ``answer.sh``, which answers rightly, but after some messages to those of one kind."""
    Path("answer").write_bytes(other.replace(b"\n", b" ").replace(b"\0", b" ") + b"\n")
    cases = "\n".join(
        f"""    *'"type":"{name}"'*) answer='{json.dumps(answer)}' ;;"""
        for name, answer in ANSWERS.items()
    )
    program = _PROCESS.replace("CASES", cases).replace("RIGHT", str(right)).replace("KIND", kind)
    Path("answer.sh").write_text(program)
