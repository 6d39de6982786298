#!/usr/bin/env python3
"""A private RabbitMQ node for tests: own ports, folder, Erlang cookie and epmd, loopback only, made from a definitions file.

    with Rabbit(dir, definitions_path) as rabbit:      # or .start() … .close()
        connect to 127.0.0.1:rabbit.port
        rabbit.kill(); rabbit.start()                   # SIGKILL and back, same ports, same data
        rabbit.pause(); rabbit.resume()                 # SIGSTOP and SIGCONT: a silent peer
        rabbit.block(); rabbit.unblock()                # memory alarm: connection.blocked
        rabbit.evaluate("1 + 1")                        # Erlang inside the node, in milliseconds
        rabbit.ctl("list_queues", "-p", VHOST)          # rabbitmqctl, its output; a second, ten on a busy machine; raises on failure

A guard process ends everything that was started here when this process dies in whatever way, so that no test leaves a broker behind.
As a program (`rabbit.py --dir DIR --definitions FILE`) it is driven by JSON lines on standard input (["ctl", "status"]), each answered by
`ok|failed PORT PID BYTE_COUNT` and that many bytes of text: the C++ fixture in rabbit.cpp uses that. End of
input ends the node.
"""
import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time

SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
CTL = "/usr/lib/rabbitmq/bin/rabbitmqctl"


def free_port():
    """A port below the ephemeral range: a client that reconnects to a dead ephemeral port may connect to itself and occupy it."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Guard:
    """Kills the process groups it was told of when its standard input ends."""

    CODE = """
import os, shutil, signal, sys
groups, folders = set(), set()
for line in sys.stdin:
    verb, _, rest = line.strip().partition(" ")
    if verb == "watch": groups.add(int(rest))
    elif verb == "forget": groups.discard(int(rest))
    elif verb == "folder": folders.add(rest)
for group in groups:
    for number in (signal.SIGCONT, signal.SIGKILL):
        try: os.killpg(group, number)
        except OSError: pass
for folder in folders: shutil.rmtree(folder, ignore_errors=True)
"""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-S", "-c", self.CODE], stdin=subprocess.PIPE, start_new_session=True, text=True)

    def say(self, verb, what):
        self.process.stdin.write(f"{verb} {what}\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Rabbit:
    def __init__(self, dir, definitions_path, *, management=False, remove_dir=False, config=""):
        """`dir` is made if need be; with `remove_dir` it goes with the node. `config`: more lines for rabbitmq.conf."""
        self.dir = os.path.abspath(dir)
        self.definitions_path = os.path.abspath(definitions_path)
        self.management, self.remove_dir, self.more_config = management, remove_dir, config
        self.server = self.epmd = None
        self.has_been_up = False
        self.guard = Guard()
        os.makedirs(self.dir, exist_ok=True)
        if remove_dir:
            self.guard.say("folder", self.dir)
        self._choose_ports()

    def _choose_ports(self):
        self.port, self.dist_port, self.epmd_port, self.management_port = (free_port() for _ in range(4))
        with open(f"{self.dir}/rabbitmq.conf", "w") as file:
            file.write(f"listeners.tcp.default = 127.0.0.1:{self.port}\n"
                       "definitions.import_backend = local_filesystem\n"
                       f"definitions.local.path = {self.definitions_path}\n"
                       "definitions.skip_if_unchanged = true\n"
                       "raft.wal_max_size_bytes = 64000000\n"
                       "disk_free_limit.absolute = 50MB\n"
                       "log.file.level = info\n" + self.more_config)
            if self.management:
                file.write(f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {self.management_port}\n")
        with open(f"{self.dir}/enabled_plugins", "w") as file:
            file.write("[rabbitmq_management].\n" if self.management else "[].\n")
        self.environment = dict(
            os.environ, HOME=self.dir, RABBITMQ_NODENAME=f"test{self.port}@localhost", RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_DIST_PORT=str(self.dist_port), RABBITMQ_MNESIA_BASE=f"{self.dir}/mnesia",
            RABBITMQ_LOG_BASE=f"{self.dir}/log", RABBITMQ_PID_FILE=f"{self.dir}/pid", RABBITMQ_CONFIG_FILE=f"{self.dir}/rabbitmq",
            RABBITMQ_ENABLED_PLUGINS_FILE=f"{self.dir}/enabled_plugins", RABBITMQ_ALLOW_INPUT="1",  # no shell between us and the node
            ERL_EPMD_ADDRESS="127.0.0.1", ERL_EPMD_PORT=str(self.epmd_port), ERL_CRASH_DUMP_SECONDS="0",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-noinput +sbwt none +sbwtdcpu none +sbwtdio none "
                                                "-kernel inet_dist_use_interface {127,0,0,1}")

    # --- life ---

    def start(self, limit=60):
        """Starts the node and waits until it takes connections."""
        for attempt in range(3):
            self._spawn()
            if self._await_ready(time.monotonic() + limit):
                return self
            if self.server.poll() is None or self.has_been_up:
                break
            self.kill()
            self._stop_epmd()
            self._choose_ports()  # somebody else was faster: never been up, so nobody knows the old ones
        log = self.log_tail()
        self.close()
        raise RuntimeError(f"RabbitMQ did not start in {self.dir}:\n{log}")

    def _spawn(self):
        if self.epmd is None or self.epmd.poll() is not None:
            self.epmd = subprocess.Popen(["epmd", "-address", "127.0.0.1", "-port", str(self.epmd_port)], env=self.environment,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            self.guard.say("watch", self.epmd.pid)
        with open(f"{self.dir}/console.log", "ab") as console:
            self.server = subprocess.Popen([SERVER], env=self.environment, cwd=self.dir, stdin=subprocess.DEVNULL, stdout=console,
                                           stderr=console, start_new_session=True)
        self.guard.say("watch", self.server.pid)

    def _await_ready(self, until):
        # The listener opens last, after the definitions are imported. It must also speak: a greeting answers our protocol header.
        while time.monotonic() < until and self.server.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                    probe.sendall(b"AMQP\0\0\x09\x01")
                    if probe.recv(1):
                        self.has_been_up = True
                        return True
            except OSError:
                pass
            time.sleep(0.05)
        return False

    def is_running(self):
        return self.server is not None and self.server.poll() is None

    def kill(self):
        """SIGKILL: what was confirmed must survive."""
        if self.server is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGKILL)
        self.server.wait()
        self.guard.say("forget", self.server.pid)
        self.server = None

    def wipe(self):
        """SIGKILL, and everything that it kept is gone; the next start imports the definitions anew."""
        self.kill()
        shutil.rmtree(f"{self.dir}/mnesia")

    def stop(self, limit=20):
        """An orderly shutdown (about 6 s)."""
        if self.server is None:
            return
        self._signal(signal.SIGCONT)
        self.server.terminate()
        try:
            self.server.wait(limit)
        except subprocess.TimeoutExpired:
            pass
        self.kill()

    def pause(self):
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def block(self):
        """Memory alarm: publishers are blocked until unblock()."""
        self.evaluate("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1})")

    def unblock(self):
        self.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.4)")

    def close(self):
        self.kill()
        self._stop_epmd()
        self.guard.close()  # removes the folder

    def _stop_epmd(self):
        if self.epmd is not None:
            self.epmd.kill()
            self.epmd.wait()
            self.guard.say("forget", self.epmd.pid)
            self.epmd = None

    def _signal(self, number):
        try:
            os.killpg(self.server.pid, number)
        except (OSError, AttributeError):
            pass

    def __enter__(self):
        return self.start()

    def __exit__(self, *unused):
        self.close()

    # --- looking in ---

    def ctl(self, *arguments, limit=60):
        """rabbitmqctl; standard output, or RuntimeError with what it said."""
        done = subprocess.run([CTL, "--quiet", *arguments], env=self.environment, capture_output=True, text=True, timeout=limit)
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def evaluate(self, erlang, limit=60):
        """Runs Erlang expressions (with commas between them) inside the node; what the last evaluates to, as text. Raises when they fail.

        erl_call speaks to the node directly and is there in milliseconds; rabbitmqctl first starts an Erlang machine of its own.
        """
        with open(f"{self.dir}/.erlang.cookie", encoding="ascii") as file:
            cookie = file.read().strip()
        script = f'io:format("~0tp", [try {{ok, begin {erlang} end}} catch Class:Reason -> {{Class, Reason}} end]).\n'
        command = ["erl_call", "-r", "-c", cookie, "-address", f"127.0.0.1:{self.dist_port}", "-timeout", str(limit), "-fetch_stdout", "-no_result_term", "-e"]
        done = subprocess.run(command, env=self.environment, input=script, capture_output=True, text=True, timeout=limit + 5)
        if done.returncode != 0 or not done.stdout.startswith("{ok,"):
            raise RuntimeError(f"{erlang}: {done.stdout}{done.stderr}")
        return done.stdout[len("{ok,"):-1]

    def queues(self, vhost):
        """Name → (ready, unacknowledged), as the broker counts, which may be five seconds old."""
        text = self.evaluate(f'[[binary_to_list(element(4, amqqueue:get_name(Q))), Ready, Held] || Q <- rabbit_amqqueue:list(<<"{vhost}">>), '
                             '[{_, Ready}, {_, Held}] <- [catch rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged])], '
                             'is_integer(Ready), is_integer(Held)]')
        return {name: (ready, unacknowledged) for name, ready, unacknowledged in json.loads(text)}

    def purge(self, vhost, queue):
        self.evaluate(f'{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, <<"{queue}">>)), rabbit_amqqueue:purge(Q), ok')

    def log_tail(self, count=40):
        lines = []
        for name in ("console.log", f"log/test{self.port}@localhost.log"):
            try:
                with open(f"{self.dir}/{name}", errors="replace") as file:
                    lines += file.readlines()[-count:]
            except OSError:
                pass
        return "".join(lines)


def serve(rabbit):
    verbs = {"start": rabbit.start, "kill": rabbit.kill, "stop": rabbit.stop, "pause": rabbit.pause, "resume": rabbit.resume,
             "block": rabbit.block, "unblock": rabbit.unblock, "ctl": rabbit.ctl, "evaluate": rabbit.evaluate, "purge": rabbit.purge,
             "queues": lambda vhost: json.dumps(rabbit.queues(vhost))}
    for line in sys.stdin:
        verdict, text = "ok", ""
        try:
            verb, *arguments = json.loads(line)
            said = verbs[verb](*arguments)
            text = said if isinstance(said, str) else ""
        except Exception as wrong:  # told to the other side, which fails its test
            verdict, text = "failed", str(wrong)
        data = text.encode()
        pid = rabbit.server.pid if rabbit.server else 0
        sys.stdout.buffer.write(f"{verdict} {rabbit.port} {pid} {len(data)}\n".encode() + data)
        sys.stdout.buffer.flush()


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--dir", required=True)
    options.add_argument("--definitions", required=True)
    options.add_argument("--management", action="store_true")
    options.add_argument("--keep", action="store_true", help="do not remove the folder at the end")
    given = options.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *unused: sys.exit(1))
    rabbit = Rabbit(given.dir, given.definitions, management=given.management, remove_dir=not given.keep)
    try:
        serve(rabbit)
    finally:
        rabbit.close()


if __name__ == "__main__":
    main()
