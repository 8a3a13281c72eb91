"""The cause of a failure from the messages of programs that ran out of memory."""

import pytest

from hpo_core.model.failure import cause_in, cause_of_exit


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate", "out_of_memory"),
        ("terminate called after throwing an instance of 'std::bad_alloc'", "out_of_memory"),
        ("OSError: [Errno 12] Cannot allocate memory", "out_of_memory"),
        ("ValueError: memory is not a number", "error"),
    ],
)
def test_what_programs_say_when_memory_runs_out_is_known(text, cause):
    assert cause_in(text).value == cause
    assert cause_of_exit(1, text).value == cause
