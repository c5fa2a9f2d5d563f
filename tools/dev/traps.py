#!/usr/bin/env python3
"""traps.py - which test shows which trap of the Meross devices, and which value worked out beforehand.

tests/spec/traps.tsv has them.  A test shows one by a tag in a comment, a string or a title: [trap 7],
[vector LAN body for {"a":1}].  A vector is shown only where its value stands in the same file.
Without arguments it prints what is missing and fails if anything is; `-v` prints each with its tests."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAG = re.compile(r"\[(trap|vector) ([^\]\n]+)\]")
FUNCTION = re.compile(r"^(?:static void (\w+)\(void \*\*|def (\w+)\()", re.M)


def table():
    """{(kind, name): text}, in the order of the file."""
    rows = (ROOT / "tests/spec/traps.tsv").read_text(encoding="utf-8").splitlines()
    return {tuple(r.split("\t")[:2]): r.split("\t")[2] for r in rows if r and not r.startswith("#")}


def name_of(path, text, at):
    """The test that a tag at this place belongs to: the one it stands right before, or in."""
    where = path.relative_to(ROOT / "tests").as_posix()
    if path.suffix == ".txt":
        return f"{where}:{text.count(chr(10), 0, at) + 1}"
    starts = [(m.start(), m[1] or m[2]) for m in FUNCTION.finditer(text)]
    following = next((s for s in starts if s[0] > at), None)
    enclosing = [s for s in starts if s[0] < at]
    before = following and re.fullmatch(r"(?:(?!\*/).)*\*/\s*", text[at:following[0]], re.S)
    mine = following if before else enclosing[-1] if enclosing else following
    return f"{where} {mine[1] if mine else ''}".rstrip()


def tags():
    """Yields (kind, name, value stands there, test)."""
    for path in sorted((ROOT / "tests").rglob("*")):
        # The simulated device and its own tests: they show the peer, not what we do with it.
        peer = path.is_relative_to(ROOT / "tests/plugsim") or path.name.startswith("test_plug_")
        if peer or path.suffix not in (".c", ".h", ".py", ".txt"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for m in TAG.finditer(text):
            yield m[1], m[2], text, name_of(path, text, m.start())


def main():
    rows = table()
    found = {key: [] for key in rows}
    unknown = []
    for kind, name, text, test in tags():
        if (kind, name) not in rows:
            unknown.append(f"[{kind} {name}] in {test}")
        elif kind == "trap" or rows[kind, name] in text:
            found[kind, name].append(test)
    for (kind, name), tests in found.items():
        if not tests or "-v" in sys.argv:
            print(f"[{kind} {name}] {rows[kind, name]}")
            for test in dict.fromkeys(tests):
                print(f"    {test}")
            if not tests:
                print("    MISSING")
    for tag in unknown:
        print(f"unknown: {tag}")
    shown = {k: sum(bool(t) for (kind, _), t in found.items() if kind == k) for k in ("trap", "vector")}
    whole = {k: sum(kind == k for kind, _ in rows) for k in shown}
    print(f"traps: {shown['trap']} of {whole['trap']} traps and {shown['vector']} of "
          f"{whole['vector']} vectors are shown by tests")
    return bool(unknown or shown != whole)


if __name__ == "__main__":
    sys.exit(main())
