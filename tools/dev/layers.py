#!/usr/bin/env python3
"""layers.py - fail when a file includes what its room may not know.

Run by ctest as `layers`.  Includes are written from the repository root, so an
include line names its room, and the table below is the whole architecture.
Change it only together with "Map of the rooms" in README.md."""
import pathlib
import re
import sys

# Room: what it may include, by prefix.  Its own room is always allowed.
ALLOW = {
    "broker/base": [],
    "broker/codec": ["broker/base/"],
    "broker/store": ["broker/base/"],
    "broker/tls": ["broker/base/", "<mbedtls/", "<psa/"],
    "broker/core": ["broker/base/", "broker/codec/", "broker/store/store.h", "broker/broker.h",
                    "broker/bridge.h"],
    # Its ACL files hold Topic Filters: broker/codec/topic.h is the one place that matches them.
    "broker/access": ["broker/base/", "broker/codec/topic.h", "broker/broker.h"],
    "broker/net": ["broker/base/", "broker/core/conn.h", "broker/core/bridge.h", "broker/tls/",
                   "broker/broker.h", "broker/bridge.h", "broker/server.h", "<uv.h"],
    "broker": ["broker/base/", "broker/store/store.h", "broker/broker.h", "broker/bridge.h"],  # the public headers
    "meross/wire": ["broker/base/", "<jsmn.h"],
    "meross/time": ["broker/base/", "meross/wire/text.h", "meross/wire/json_write.h"],
    "meross/device": ["broker/base/", "broker/store/store.h", "meross/wire/"],
    "meross/family": ["broker/base/", "meross/wire/", "meross/device/"],
    "meross/energy": ["broker/base/", "broker/store/store.h", "meross/wire/", "meross/time/"],
    "meross": ["broker/base/", "broker/broker.h", "broker/store/store.h", "meross/"],
    "meross/session": ["broker/base/", "broker/broker.h", "broker/store/store.h", "meross/"],
    "meross/people": ["broker/base/", "broker/broker.h", "broker/store/store.h", "meross/"],
    "certs": ["broker/base/", "<mbedtls/", "<psa/"],
    "tools/pairing": ["broker/base/", "meross/wire/", "meross/time/"],
    # The tables that manual pages and completions are made from.
    "tools/packaging/docs": ["tools/cmd.h", "tools/config/"],
    "tools": ["broker/base/", "broker/codec/", "broker/tls/tls.h", "broker/store/store.h",
              "broker/store/copy.h", "broker/access/access.h", "broker/access/passwd.h",
              "broker/bridge.h", "broker/broker.h", "broker/server.h", "certs/certs.h",
              "meross/meross.h", "meross/wire/", "meross/time/",  # the pure parts
              "<jsmn.h"],
    # The simulated plug is written from the protocol sheet, not from the code it tests.
    "tests/plugsim": ["broker/base/", "broker/codec/", "broker/tls/tls.h",
                      "broker/tls/tls_compat.h", "<uv.h", "<jsmn.h",
                      "<mbedtls/"],
}
# Single files that may include more than their room.
EXTRA = {"meross/wire/crypto.c": ["<mbedtls/", "<psa/"],
         "tools/backup/vault.c": ["<mbedtls/", "broker/access/pbkdf2.h"],  # the cipher of backups
         "broker/access/digest.c": ["<mbedtls/"],  # the digests of password files
         "broker/access/pbkdf2.h": ["<mbedtls/"]}
# System headers that only the rooms named above may include.
FENCED = ("uv", "mbedtls/", "psa/", "jsmn")


def room_of(path):
    return max((r for r in ALLOW if path.startswith(r + "/")), key=len, default=None)


def faults(path, text):
    """Yields (line number, include) for each include that `path` may not have."""
    room = room_of(path)
    if room is None:
        return
    own = [] if room == "broker" else [room + "/"]
    allowed = tuple(own + ALLOW[room] + EXTRA.get(path, []))
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+(["<])([^">]+)', line)
        if not m or (m[1] == "<" and not m[2].startswith(FENCED)):
            continue
        include = m[2] if m[1] == '"' else "<" + m[2]
        if not include.startswith(allowed):
            yield number, include


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    bad = 0
    for top in ("broker", "meross", "certs", "tools", "tests/plugsim"):
        for file in sorted((root / top).rglob("*.[ch]")):
            path = file.relative_to(root).as_posix()
            for number, include in faults(path, file.read_text(encoding="utf-8")):
                bad += 1
                print(f"{path}:{number}: {room_of(path)} may not include {include}")
    print("layers: " + (f"{bad} forbidden includes" if bad else "every include stays in its layer"))
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
