#!/usr/bin/env python3
"""Writes tests/corpus/mails/<name>.eml and <name>.json from the cases. Usage: tests/corpus/make.py [--check]

--check writes nothing and fails when a file differs from its case.
"""
import importlib
import json
import pathlib
import sys

here = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(here))
import builder  # noqa: E402

for name in sorted(path.stem for path in (here / "cases").glob("*.py")):
    importlib.import_module(f"cases.{name}")

folder = here / "mails"
folder.mkdir(exist_ok=True)
wanted = {}
for name, raw, expected in builder.CASES:
    wanted[f"{name}.eml"] = raw
    wanted[f"{name}.json"] = (json.dumps(expected, ensure_ascii=False, indent=1) + "\n").encode()

there = {path.name: path for path in folder.iterdir()}
different = [name for name, data in wanted.items() if name not in there or there[name].read_bytes() != data]
left_over = [name for name in there if name not in wanted]
if "--check" in sys.argv:
    for name in different + left_over:
        print(f"differs from its case: {name}")
    sys.exit(1 if different or left_over else 0)
for name in different:
    (folder / name).write_bytes(wanted[name])
for name in left_over:
    there[name].unlink()
print(f"{len(builder.CASES)} mails, {len(different)} files written, {len(left_over)} removed")
