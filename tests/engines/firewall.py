"""nftables: firewall.py RULES.nft, in a network namespace of its own; a JSON array of addresses on standard input.

Loads the rules, makes a chain that rejects what is in their sets, as the rules' own comment says, sends a datagram to each
address, and prints those that were refused.
"""

import errno
import json
import socket
import subprocess
import sys


def do(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


do("ip", "link", "set", "lo", "up")
do("ip", "route", "add", "default", "dev", "lo")
do("ip", "-6", "route", "add", "default", "dev", "lo")
do("nft", "-f", sys.argv[1])
do("nft", "add chain inet stixc output { type filter hook output priority filter; }")
do("nft", "add rule inet stixc output ip daddr @ipv4 reject")
do("nft", "add rule inet stixc output ip6 daddr @ipv6 reject")

sockets = {family: socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)}
sockets[socket.AF_INET].setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
refused = []
for address in json.load(sys.stdin):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sockets[family].sendto(b"", (address, 9))
    except OSError as error:
        # Anything else is an address that can't be sent to, which no list is to blame for.
        if error.errno in (errno.EPERM, errno.EACCES, errno.ECONNREFUSED, errno.EHOSTUNREACH):
            refused.append(address)
        elif error.errno != errno.ENETUNREACH:
            raise
json.dump(refused, sys.stdout)
