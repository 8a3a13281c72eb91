"""The names of functions, for other processes."""

import functools
import json
import math

import pytest

from hpo_core import BackendError
from hpo_core.model.function_reference import function_reference


def replaced(configuration):
    return 1.0


original, replaced = replaced, None


def test_a_function_of_a_module_is_named_after_both():
    assert function_reference(json.dumps) == "json:dumps"


def test_a_static_method_is_found_through_its_class():
    assert function_reference(json.JSONEncoder.default) == "json.encoder:JSONEncoder.default"


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda configuration: 1.0, "it is a lambda or a nested function"),
        (functools.partial(math.pow, 2), "it has no name"),
        (json.JSONEncoder().encode, "'JSONEncoder.encode' in the module 'json.encoder' is some"),
        (original, "'replaced' in the module"),
    ],
)
def test_what_another_process_could_not_find_is_refused_with_the_remedy(function, why):
    with pytest.raises(BackendError) as caught:
        function_reference(function)
    assert why in str(caught.value)
    assert str(caught.value).endswith(
        "define it with def at the top level of a file, or pass backend='inline'"
    )
