"""A package of a registry, for tests, that loads another one which is not there."""

import optunahub

optunahub.load_module("samplers/absent")
