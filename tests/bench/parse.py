"""parse: `postroom mail explain`, through the sandbox, against bare GMime and Gumbo in one process; mails in a second of processor time."""

import os
import pathlib
import subprocess
import sys
import tempfile

import figures
from figures import Goal
from mails import mixed

GOALS = [Goal("of_reference", 0.9, True)]
LEAST_REFERENCE = 2_000  # mails in a second of processor time
# Runs a program and tells the processor time of it and of everybody whom it left behind: orphans become children of this process, which waits for them.
WAIT_FOR_ALL = """
import ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
try:
    while True: os.wait()
except ChildProcessError:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"used {used.ru_utime + used.ru_stime:.6f}", file=sys.stderr)
    sys.exit(code)
"""


def cost(*command, environment=None):
    """(standard output, seconds of processor time)"""
    done = subprocess.run([sys.executable, "-S", "-c", WAIT_FOR_ALL, *(str(word) for word in command)], capture_output=True, text=True, check=False,
                          env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout, float(done.stderr.rsplit("used ", 1)[1])


def measure(programs, tools, sizes):
    programs, tools = pathlib.Path(programs).resolve(), pathlib.Path(tools).resolve()
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as folder:
        paths = [pathlib.Path(folder) / f"{number:05d}.eml" for number in range(sizes.parsed)]
        for number, path in enumerate(paths):
            path.write_bytes(mixed(number, "desk@example.test"))
        (pathlib.Path(folder) / "list").write_text("".join(f"{path}\n" for path in paths))
        environment = {"POSTROOM_ALLOW_ROOT": "1", "POSTROOM_HOME": f"{folder}/home"}
        subprocess.run([programs / "postroom", "init", "--home", f"{folder}/home"], check=True, capture_output=True, env={**os.environ, **environment})
        reference, ours = [], []
        for number in range(sizes.rounds):
            for is_ours in (True, False) if number % 2 else (False, True):
                if is_ours:
                    shown, seconds = cost(programs / "postroom", "mail", "explain", "--jsonl", *paths, environment=environment)
                    ours.append(sizes.parsed / seconds)
                    unparsable = shown.count('"unparsable"')
                    if len(shown.splitlines()) != sizes.parsed or unparsable:
                        raise AssertionError(f"{len(shown.splitlines())} of {sizes.parsed} mails explained, {unparsable} of them as unparsable")
                else:
                    shown, seconds = cost(tools / "bench_parser", f"{folder}/list")
                    if int(shown.split()[0]) != sizes.parsed:
                        raise AssertionError(f"the reference read {shown}")
                    reference.append(sizes.parsed / seconds)
        size = sum(path.stat().st_size for path in paths)
    values = {"mails_per_cpu_second": round(figures.statistics.median(ours)), "of_reference": round(figures.ratio(ours, reference), 3), "mails": sizes.parsed, "bytes_a_mail": size // sizes.parsed}
    return {"figures": values, "reference": {"bare GMime and Gumbo, mails in a second of processor time": [round(one) for one in reference]}, "rounds": [round(one) for one in ours],
            "goals": GOALS, "doubts": figures.reference_doubts("bare GMime and Gumbo", reference, LEAST_REFERENCE)}
