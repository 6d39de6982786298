#!/usr/bin/env python3
"""Writes the seeds: the server's side of the talks in tests/unit/imap, each with the two bytes that choose the session.

usage: make_seeds.py  (in tests/fuzz/imap; rewrites seeds/)
"""
import pathlib
import re

here = pathlib.Path(__file__).resolve().parent
opened = 'S: * 3 EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT 100]\nS: P1 OK [READ-WRITE] done\n'
choices = {'session': 1, 'cursor': 9, 'fetch': 17, 'trouble': 17, 'chores': 57, 'watch': 8}
folder = here / 'seeds'
folder.mkdir(exist_ok=True)
for old in folder.glob('*.imap'):
    old.unlink()
for area, choice in choices.items():
    text = (here / f'../../unit/imap/engine_{area}_test.cpp').read_text()
    for number, (opener, script) in enumerate(re.findall(r'(opened\()?R"\((.*?)\)"', text, re.S)):
        lines = re.findall(r'^\s*S: ?(.*)$', (opened if opener else '') + script, re.M)
        body = ''.join(line + '\r\n' for line in lines).encode()
        (folder / f'{area}_{number:02}.imap').write_bytes(bytes([choice, number % 3]) + body)
