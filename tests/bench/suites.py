"""What is borrowed from the end-to-end suites: two of them have a measure.py, so each is loaded under a name of its own."""

import importlib.util
import pathlib


def by_path(name, *parts):
    spec = importlib.util.spec_from_file_location(name, pathlib.Path(__file__).resolve().parents[1].joinpath("e2e", *parts))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


line_measure, mail_measure = by_path("line_measure", "line", "measure.py"), by_path("mail_measure", "mail", "measure.py")
