#!/usr/bin/env python3
"""spec.py - which test shows which statement of MQTT 3.1.1.

tests/spec/statements.tsv says what each statement is owed.  It is paid by
  - cases in tests/spec/cases/*.txt: their first line begins with `obey` or `breach`;
  - C tests: a tag such as MQTT-3.1.0-1 in brackets, in a comment or string of the test function
    or right before it; they count for the statements marked `other`, and are listed for all.
Without arguments it prints what is missing and fails if anything is; `-v` prints every statement
with its tests; statements as arguments (3.1.0-1) print these only."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TAG = re.compile(r"\[MQTT-([\d.-]+)\]")


def statements():
    """Yields (statement, owed, text) in the order of the standard."""
    for line in (ROOT / "tests/spec/statements.tsv").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield tuple(line.split("\t"))


def cases():
    """Yields (statement, "obey" or "breach", name) for the sequence cases."""
    for file in sorted((ROOT / "tests/spec/cases").glob("*.txt")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            m = re.match(r"(obey|breach)\s+(.*)", line)
            if m:
                title = re.sub(r"(\[[^\]]*\]\s*)+", "", m[2])
                for tag in TAG.findall(m[2]):
                    yield tag, m[1], f"{file.name}:{number} {title}"


def c_tests():
    """Yields (statement, "unit", name) for tags in C tests."""
    for file in sorted((ROOT / "tests").rglob("*.c")):
        text = file.read_text(encoding="utf-8")
        starts = [(m.start(), m[1]) for m in re.finditer(r"^static void (\w+)\(void \*\*", text, re.M)]
        for m in TAG.finditer(text):
            # A comment right before a function belongs to that function.
            following = next((s for s in starts if s[0] > m.start()), None)
            enclosing = [s for s in starts if s[0] < m.start()]
            between = text[m.end():following[0]] if following else ""
            mine = following if following and re.fullmatch(r"[^{};]*\*/\s*", between) else \
                enclosing[-1] if enclosing else None
            yield m[1], "unit", f"{file.relative_to(ROOT / 'tests').as_posix()} " \
                                f"{mine[1] if mine else ''}".rstrip()


def missing(owed, found):
    """What a statement still lacks: a list of words."""
    if owed == "obey":  # it binds us alone, so a case in which the peer errs shows it as well
        return [] if found["obey"] or found["breach"] else ["obey"]
    want = {"both": ["obey", "breach"], "other": ["unit"]}.get(owed, [])
    return [w for w in want if not found[w]]


def main():
    table = list(statements())
    found = {s: {"obey": [], "breach": [], "unit": []} for s, _, _ in table}
    unknown = []
    for tag, kind, name in [*cases(), *c_tests()]:
        (found[tag][kind] if tag in found else unknown).append(name)
    wanted = [a for a in sys.argv[1:] if not a.startswith("-")]
    lacking = 0
    for statement, owed, text in table:
        lack = missing(owed, found[statement])
        lacking += bool(lack)
        if lack or statement in wanted or ("-v" in sys.argv and not wanted):
            print(f"[MQTT-{statement}] {text}")
            for kind, names in found[statement].items():
                for name in dict.fromkeys(names):
                    print(f"    {kind:7}{name}")
            for word in lack:
                print(f"    MISSING {word}")
    for name in unknown:
        print(f"unknown statement in {name}")
    applying = sum(owed in ("both", "obey", "other") for _, owed, _ in table)
    print(f"spec: {applying} statements apply, {applying - lacking} are shown by tests")
    return bool(lacking or unknown)


if __name__ == "__main__":
    sys.exit(main())
