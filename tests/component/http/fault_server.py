"""Listeners that misbehave on purpose, plain and with TLS. Prints one JSON line with their ports, then serves until its input ends."""
import gzip, json, os, socket, ssl, struct, subprocess, sys, tempfile, threading, time

counts = {}
lock = threading.Lock()


def read_request(conn, pending):
    data = pending
    while b"\r\n\r\n" not in data:
        chunk = conn.recv(65536)
        if not chunk:
            return None, b""
        data += chunk
    head, rest = data.split(b"\r\n\r\n", 1)
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(rest) < length:
        chunk = conn.recv(65536)
        if not chunk:
            return None, b""
        rest += chunk
    return (head, rest[:length]), rest[length:]


def answer(conn, status, body, *headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    conn.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def serve(conn, first):
    pending = b""
    while True:
        request, pending = read_request(conn, pending)
        if request is None:
            return
        head, body = request
        path = head.split(b" ")[1].decode()
        with lock:
            counts[path] = counts.get(path, 0) + 1
        if path.startswith("/count"):
            answer(conn, "200 OK", str(counts.get(path[len("/count"):], 0)).encode())
        elif path.startswith("/echo"):
            answer(conn, "200 OK", head + b"\r\n\r\n" + body)
        elif path.startswith("/dies-when-kept"):
            if not first:
                return  # the request was read; the connection ends without an answer
            answer(conn, "200 OK", b"alive")
        elif path == "/drip":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while True:
                conn.sendall(b"x")
                time.sleep(0.02)
        elif path == "/ten-gigabytes":
            conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n" + b"x" * 1000)
            time.sleep(5)
        elif path == "/endless":
            conn.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            while True:
                conn.sendall(b"x" * 65536)
        elif path == "/endless-head":
            conn.sendall(b"HTTP/1.1 200 OK\r\n")
            while True:
                conn.sendall(b"X-Filler: " + b"x" * 900 + b"\r\n")
        elif path == "/bomb":
            answer(conn, "200 OK", gzip.compress(b"\0" * 50_000_000), "Content-Encoding: gzip")
        elif path == "/redirect":
            answer(conn, "302 Found", b"", "Location: /redirected")
        elif path == "/reset":
            reset(conn)
            return
        elif path == "/short":
            conn.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{\"id\":")
            return
        elif path == "/not-http":
            conn.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            return
        elif path == "/hang":
            time.sleep(30)
        else:
            answer(conn, "200 OK", b"hello", "X-One: 1")
        first = False


def handle(conn, context):
    try:
        if context is not None:
            conn = context.wrap_socket(conn, server_side=True)
        serve(conn, True)
    except (OSError, ssl.SSLError):
        pass
    finally:
        conn.close()


def listen(context=None, handler=handle):
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            conn, _ = listener.accept()
            with lock:
                counts["connections"] = counts.get("connections", 0) + 1
            threading.Thread(target=handler, args=(conn, context), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def reset_at_once(conn, _):
    conn.recv(1)
    reset(conn)
    conn.close()


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def certificate(folder, name, subject_alternative, *extra):
    with open(os.path.join(folder, name + ".ext"), "w") as file:
        file.write("subjectAltName=" + subject_alternative)
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
    openssl(folder, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", name + ".pem",
            "-extfile", name + ".ext", *(extra or ("-days", "30")))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key"))
    return context


def main():
    folder = tempfile.mkdtemp(prefix="postroom-faults-")
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority",
            "-days", "30")
    good = certificate(folder, "good", "DNS:localhost,IP:127.0.0.1")
    other = certificate(folder, "other", "DNS:other.example")
    expired = certificate(folder, "expired", "DNS:localhost,IP:127.0.0.1", "-days", "-1")
    old = certificate(folder, "old", "DNS:localhost,IP:127.0.0.1")
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    print(json.dumps({"folder": folder, "plain": listen(), "tls": listen(good), "tls_wrong_host": listen(other), "tls_expired": listen(expired),
                      "tls_old": listen(old), "tls_reset": listen(None, reset_at_once)}), flush=True)
    sys.stdin.read()
    subprocess.run(["rm", "-r", folder])


main()
