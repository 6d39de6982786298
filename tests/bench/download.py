#!/usr/bin/env python3
"""The reference of `mailbox`: a plain IMAP client that downloads a folder as fast as the server gives it, and throws it away.

    download.py PORT CA-FILE USER SECRET        prints: mails bytes seconds (from the first FETCH to its last answer)

TLS as Postroom has it. Some FETCH commands are always under way, a few hundred mails each; literals are counted, not kept.
"""

import re
import socket
import ssl
import sys
import time

MAILS_A_COMMAND, UNDER_WAY, READ_SIZE = 200, 4, 1 << 18
LITERAL = re.compile(rb"\{(\d+)\}$")


class Client:
    def __init__(self, port, ca_file):
        plain = socket.create_connection(("127.0.0.1", port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = ssl.create_default_context(cafile=ca_file).wrap_socket(plain, server_hostname="localhost")
        self.buffer, self.at, self.tags = bytearray(), 0, 0
        self.line()

    def fill(self):
        more = self.socket.recv(READ_SIZE)
        if not more:
            raise ConnectionError("the server hung up")
        del self.buffer[:self.at]
        self.at = 0
        self.buffer += more

    def line(self):
        while (end := self.buffer.find(b"\r\n", self.at)) < 0:
            self.fill()
        line = bytes(self.buffer[self.at:end])
        self.at = end + 2
        return line

    def skip(self, size):
        while len(self.buffer) - self.at < size:
            size -= len(self.buffer) - self.at
            self.at = len(self.buffer)
            self.fill()
        self.at += size

    def send(self, command):
        self.tags += 1
        self.socket.sendall(f"a{self.tags} {command}\r\n".encode())

    def answer(self, on_literal=lambda size: None):
        """Reads to the next tagged line; the untagged ones before it."""
        seen = []
        while True:
            line = self.line()
            if found := LITERAL.search(line):
                self.skip(int(found[1]))
                on_literal(int(found[1]))
            elif line.startswith(b"a"):
                if b" OK" not in line:
                    raise ValueError(line)
                return seen
            else:
                seen.append(line)

    def ask(self, command):
        self.send(command)
        return self.answer()


def main(port, ca_file, user, secret):
    client = Client(int(port), ca_file)
    client.ask(f'LOGIN "{user}" "{secret}"')
    exists = next(int(line.split()[1]) for line in client.ask("SELECT INBOX") if line.endswith(b" EXISTS"))
    sizes = []
    commands = [f"FETCH {first}:{min(exists, first + MAILS_A_COMMAND - 1)} (UID BODY.PEEK[])" for first in range(1, exists + 1, MAILS_A_COMMAND)]
    began, sent = time.monotonic(), 0
    for done in range(len(commands)):
        while sent < min(len(commands), done + UNDER_WAY):
            client.send(commands[sent])
            sent += 1
        client.answer(sizes.append)
    print(len(sizes), sum(sizes), f"{time.monotonic() - began:.6f}")


if __name__ == "__main__":
    main(*sys.argv[1:5])
