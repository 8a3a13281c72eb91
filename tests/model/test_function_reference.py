"""The names of functions, for other processes."""

import functools
import json
import math

import pytest

from hpo_core.model.function_reference import function_name, is_importable


def replaced(configuration):
    return 1.0


original, replaced = replaced, None


def test_a_function_of_a_module_is_named_after_both():
    assert function_name(json.dumps) == "json:dumps"


def test_a_static_method_is_found_through_its_class():
    assert function_name(json.JSONEncoder.default) == "json.encoder:JSONEncoder.default"


class Model:
    def __call__(self, configuration):
        return 1.0


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda configuration: 1.0, f"{__name__}:<lambda>"),
        (functools.partial(math.pow, 2), "functools:<partial object>"),
        (json.JSONEncoder().encode, "json.encoder:<JSONEncoder.encode>"),
        (Model(), f"{__name__}:<Model object>"),
        (original, f"{__name__}:<replaced>"),
    ],
)
def test_what_another_process_could_not_import_has_a_name_that_says_so(function, name):
    assert function_name(function) == name
    assert not is_importable(name)


def test_a_function_of_an_interactive_session_cannot_be_imported():
    assert not is_importable("__main__:train")
    assert is_importable("/home/ann/search.py:train")
