"""A process with a shifted clock can import the same modules."""

import subprocess
import sys

SHIFTED = """
import datetime, time
true = datetime.date.today()
from hpo_core.testing.clock import shift
shift(400 * 86_400)
import pandas  # its compiled modules take the layout of the true classes
days = (datetime.date.today() - true).days
print(days >= 399, isinstance(true, datetime.date), time.gmtime().tm_year > true.year)
"""


def test_compiled_libraries_load_where_the_clock_is_shifted() -> None:
    done = subprocess.run([sys.executable, "-c", SHIFTED], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["True"] * 3)
