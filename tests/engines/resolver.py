"""Resolvers: resolver.py (rpz ZONE | hosts FILE), in a network namespace of its own; a JSON array of names on standard input.

Starts a resolver that knows nothing but the zone or the hosts file, and behind it one that answers every name. Asks for each
name, and prints those that it kept back: unbound's answer is that there is no such name, dnsmasq's that it has no address.
"""

import json
import pathlib
import socket
import struct
import subprocess
import sys
import tempfile
import time

ANY = "192.0.2.1"
NOWHERE = "0.0.0.0"
NXDOMAIN = 3
BEHIND = 5353
OWN_ZONES = "\n".join(f'    local-zone: "{name}." nodefault' for name in ("localhost", "test", "invalid", "onion"))
# In the foreground, without the machine's configuration, servers and hosts.
ALONE = ["-k", "-C", "/dev/null", "-R", "-h", "--pid-file="]


def start(*command):
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def with_zone(folder, zone):
    configuration = folder / "unbound.conf"
    configuration.write_text(f"""
server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: ""
    use-syslog: no
    interface: 127.0.0.1
    do-not-query-localhost: no
    module-config: "respip iterator"
    # No answers of its own for names of private use.
    unblock-lan-zones: yes
{OWN_ZONES}
remote-control:
    control-enable: no
rpz:
    name: rpz.stixc.example
    zonefile: "{zone}"
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{BEHIND}
""")
    return start("unbound", "-d", "-c", str(configuration))


def with_hosts(hosts):
    return start("dnsmasq", *ALONE, f"--addn-hosts={hosts}", f"--server=127.0.0.1#{BEHIND}")


def question(number, name):
    labels = b"".join(bytes([len(label)]) + label for label in name.rstrip(".").encode("ascii").split(b"."))
    return struct.pack(">6H", number, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", 1, 1)


def kept_back(asker, number, name):
    asker.send(question(number, name))
    answer = asker.recv(4096)
    got, flags, _, answers = struct.unpack(">4H", answer[:8])
    assert got == number, "an answer to another question"
    code = flags & 15
    if code == NXDOMAIN:
        return True
    assert code == 0 and answers, f"{name}: no answer, code {code}"
    address = socket.inet_ntoa(answer[-4:])
    assert address in (ANY, NOWHERE), f"{name}: {address}"
    return address == NOWHERE


def ask(port):
    asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asker.settimeout(0.5)
    asker.connect(("127.0.0.1", port))
    return asker


def wait_for(port):
    """Until the server there answers."""
    asker = ask(port)
    for number in range(1, 200):
        try:
            if not kept_back(asker, number, "ready.test"):
                return
        except (OSError, AssertionError):
            time.sleep(0.05)
    sys.exit(f"nothing answers on port {port}")


kind, path = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with tempfile.TemporaryDirectory() as folder:
    servers = []
    try:
        # The one behind comes first: a resolver that finds it away believes so for a while.
        servers.append(start("dnsmasq", *ALONE, "-p", str(BEHIND), f"--address=/#/{ANY}"))
        wait_for(BEHIND)
        servers.append(with_zone(pathlib.Path(folder), path) if kind == "rpz" else with_hosts(path))
        wait_for(53)
        asker = ask(53)
        asker.settimeout(5)
        names = json.load(sys.stdin)
        json.dump([name for number, name in enumerate(names) if kept_back(asker, number % 65536, name)], sys.stdout)
    finally:
        for server in servers:
            server.kill()
            server.wait()
