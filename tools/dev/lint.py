#!/usr/bin/env python3
"""lint.py - the conventions that a machine can check.

Run by ctest as `lint`.  Errors fail the run.  Aims (lengths, nesting) are printed with
`lint.py --aims` and never fail it: the house takes them as questions, not as orders.

It reads C as text: comments and string contents are blanked first, so that line numbers stay."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCT = ("broker/", "meross/", "certs/", "tools/")

# Functions that may be longer than 70 lines: "path:function": reason.
LONG_FUNCTIONS = {}
# Files that may hold mutable file-scope state: path: reason.
STATE = {
    "broker/base/log.c": "the sink, the level and the quoting slots",
    "broker/base/mem.c": "the accounting itself",
}
ALLOCATORS = "malloc calloc realloc reallocarray free strdup strndup aligned_alloc posix_memalign"
CLOCKS = ("time clock_gettime gettimeofday clock rand random srand srandom getrandom getentropy "
          "arc4random")
LOOP_CLOCKS = "uv_now uv_hrtime uv_update_time"
BANNED = "sprintf vsprintf strcpy strcat strtok gets atoi atol alloca signal setjmp longjmp"
TALKERS = "printf fprintf vprintf vfprintf puts fputs putchar perror exit _exit abort"
# Who may call what a rule forbids to everybody else: path prefixes.
MAY = {
    "allocator": ("broker/base/mem.c",),
    "clock": ("broker/net/server.c", "tools/"),
    "loop clock": ("broker/net/",),
    "talker": ("tools/", "broker/base/mem.c", "broker/base/check.c", "broker/base/log.c"),
}
SECRETS = {"password", "passwd", "pass", "secret", "key", "keys", "sign", "signature", "psk"}
# Log arguments that only look like secrets: (path, text): what it is.
NOT_SECRET = {
    ("broker/core/session.c", "by_id.key"): "the Client Identifier",
    ("broker/core/replay.c", "by_id.key"): "the Client Identifier",
    ("broker/core/bridge.c", "by_id.key"): "the Client Identifier",
    ("meross/session/plug.c", "d->key"): "which of the keys fits, not the key",
    ("meross/device/registry.c", "log_q(key)"): "the name of a record in the store",
}
STATEMENT = re.compile(r"\[MQTT-(\d\.\d{1,2}\.\d-\d{1,2}|3\.1\.2\.7|3-8\.3-4)\]")
WORDS_OF_WORK = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else"}


def blank(text):
    """Blanks comments and the inside of string and character literals; newlines stay."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def hide(m):
        s = m[0]
        if s[0] in "\"'":
            return s[0] + " " * (len(s) - 2) + s[-1]
        return re.sub(r"[^\n]", " ", s)
    return pattern.sub(hide, text)


def without_directives(code):
    """Blanks preprocessor lines, continued ones too."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m[0]), code,
                  flags=re.M)


class Function:
    def __init__(self, name, head, body, first, last, depth, offset):
        self.name, self.head, self.body = name, head, body
        self.first, self.last, self.depth, self.offset = first, last, depth, offset


def top_level(code):
    """Splits code into (functions, statements at file scope as (offset, text))."""
    functions, statements = [], []
    depth = deepest = start = opened = 0
    for m in re.finditer(r"[{};]", code):
        c, at = m[0], m.start()
        if c == "{":
            if depth == 0:
                opened, deepest = at, 0
            depth += 1
            deepest = max(deepest, depth)
        elif c == "}":
            depth -= 1
            head = code[start:opened].strip()
            if depth == 0 and re.search(r"\)\s*$", head) and "=" not in head:
                name = re.search(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)", "", head))
                functions.append(Function(name[1] if name else "?", head, code[opened:at + 1],
                                          code.count("\n", 0, opened) + 1,
                                          code.count("\n", 0, at) + 1, deepest - 1, opened))
                start = at + 1
        elif depth == 0:
            statements.append((start + len(code[start:at]) - len(code[start:at].lstrip()),
                               code[start:at].strip()))
            start = at + 1
    return functions, statements


def is_mutable(declaration):
    """Is this declaration (without its ';') a variable that can change?"""
    d = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", declaration, flags=re.S)
    kind = re.match(r"(?:static\s+)?(?:struct|union|enum)\b", d)
    if kind and "{" in d and d.rstrip().endswith("}") and "=" not in d[:d.index("{")]:
        return False  # a type
    d = d.split("=")[0]
    while "{" in d and "}" in d:
        d = re.sub(r"\{[^{}]*\}", " ", d, flags=re.S)
    words = d.split()
    if not words or words[0] in ("typedef", "extern", "_Static_assert") or len(words) < 2:
        return False
    paren = d.find("(")
    if paren >= 0:  # a prototype, or a pointer to a function
        star = re.match(r"\(\s*\*\s*(const)?", d[paren:])
        return bool(star) and star[1] is None
    if re.fullmatch(r"(struct|union|enum)\s+\w+\s*", d):
        return False  # a type that is only announced
    if "*" in d:
        return not re.search(r"\*\s*const\b[^*]*$", d)
    return not re.search(r"\bconst\b", d)


def calls(code, names):
    """Yields (offset, name) of each call of one of `names`; members of structs do not count."""
    pattern = r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\("
    for m in re.finditer(pattern, code):
        before = code[:m.start()].rstrip()
        if not re.search(r"[\w*]$", before) or re.search(r"\b(return|else|do)$", before):
            yield m.start(), m[1]


def arguments(code, offset):
    """The text between the parentheses of the call that starts at `offset`."""
    begin = code.index("(", offset)
    depth = 0
    for at in range(begin, len(code)):
        depth += {"(": 1, ")": -1}.get(code[at], 0)
        if depth == 0:
            return code[begin + 1:at]
    return code[begin + 1:]


class Lint:
    def __init__(self, statements):
        self.errors, self.aims, self.statements = [], [], statements

    def error(self, path, line, text):
        self.errors.append(f"{path}:{line}: {text}")

    def aim(self, path, line, text):
        self.aims.append(f"{path}:{line}: {text}")

    def text(self, path, text):
        """What holds for every text file."""
        if text and not text.endswith("\n"):
            self.error(path, text.count("\n") + 1, "no newline at the end of the file")
        for number, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                self.error(path, number, "blanks at the end of the line")
            for word in WORDS_OF_WORK:
                if re.search(rf"\b{word}\b(?!\(#\d+\))", line):
                    self.error(path, number, f"{word} without an issue number")
            if re.search(r"(?<![\w.])/(work|root|home/\w+)/", line):
                self.error(path, number, "a path that exists on one machine only")
            if not path.startswith("tools/dev/"):
                self.tags(path, number, line)

    def tags(self, path, number, line):
        for m in re.finditer(r"\[MQTT-[^\]]*\]?", line):
            good = STATEMENT.fullmatch(m[0])
            if not good:
                self.error(path, number, f"{m[0]} is not the name of one statement")
            elif good[1] not in self.statements:
                self.error(path, number, f"{m[0]} is not in tests/spec/statements.tsv")

    def source(self, path, text):
        """What holds for C, in tests too."""
        code = blank(text)
        bare = without_directives(code)
        line_of = lambda offset: code.count("\n", 0, offset) + 1
        if "\t" in text:
            self.error(path, line_of(text.index("\t")), "a tab")
        if text.count("\n") > (150 if path.endswith(".h") else 500):
            self.aim(path, 1, f"{text.count(chr(10))} lines")
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > 100:
                self.error(path, number, f"{len(line)} columns; 100 is the limit, also for comments")
        if path.startswith(("tests/unit/", "tests/sim/")):
            for offset, name in calls(bare, "sleep usleep nanosleep"):
                self.error(path, line_of(offset), f"{name}(): a test steps the fake clock")
            for m in re.finditer(r"cmocka_run_group_tests\([^;]*, (\w+)\);", bare):
                if m[1] != "NULL":
                    self.error(path, line_of(m.start()), f"{m[1]}(): cmocka fails nobody for the "
                               "teardown of a group; LAST_TEST() of no_leak.h does")
        functions, statements = top_level(bare)
        for f in functions:
            self.function(path, f, code, line_of)
        if path.startswith(PRODUCT):
            self.product(path, bare, functions, statements, line_of)

    def function(self, path, f, code, line_of):
        length = f.last - f.first + 1
        if length > 70 and f"{path}:{f.name}" not in LONG_FUNCTIONS and not path.startswith("tests/"):
            self.error(path, f.first, f"{f.name}() has {length} lines; 70 is the limit")
        elif length > 50:
            self.aim(path, f.first, f"{f.name}() has {length} lines")
        if f.depth > 4:
            self.aim(path, f.first, f"{f.name}() nests {f.depth} deep")
        if f.head.count(",") > 6:
            self.aim(path, f.first, f"{f.name}() has {f.head.count(',') + 1} parameters")
        body = code[f.offset:f.offset + len(f.body)]
        for m in re.finditer(r"^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)\b", body, re.M):
            self.error(path, line_of(f.offset + m.start()), f"#{m[1]} inside {f.name}()")

    def product(self, path, bare, functions, statements, line_of):
        for offset, name in calls(bare, BANNED):
            self.error(path, line_of(offset), f"{name}() is banned")
        if path.startswith("broker/net/") and "outgoing_note(" not in bare:
            for offset, name in calls(bare, "uv_tcp_connect uv_udp_connect"):
                self.error(path, line_of(offset), f"{name}() without outgoing_note(): `merossd "
                           "doctor --offline` must know of every connection that we make")
        for rule, names, why in (
                ("allocator", ALLOCATORS, "only mem.c calls the allocator"),
                ("clock", CLOCKS, "time and randomness come through struct env"),
                ("loop clock", LOOP_CLOCKS, "time and randomness come through struct env"),
                ("talker", TALKERS, "only tools/ talks to the terminal or ends the program")):
            if path.startswith(MAY[rule]):
                continue
            for offset, name in calls(bare, names):
                self.error(path, line_of(offset), f"{name}(): {why}")
        if path not in STATE:
            self.state(path, functions, statements, line_of)
        for m in re.finditer(r"\blog_(error|warn|info|debug|at)\s*\(", bare):
            text = arguments(bare, m.start())
            for file, harmless in NOT_SECRET:
                text = text.replace(harmless, "") if file == path else text
            for word in re.findall(r"[A-Za-z_]\w*(?!\w*\s*\()", text):
                if word.lower().split("_")[-1] in SECRETS:
                    self.error(path, line_of(m.start()), f"`{word}` may not be logged")
        for m in re.finditer(r"\bsizeof\s*\(\s*(struct|union)\s", bare):
            self.aim(path, line_of(m.start()), "sizeof of a type")

    def state(self, path, functions, statements, line_of):
        for offset, declaration in statements:
            if is_mutable(declaration):
                self.error(path, line_of(offset), f"mutable state: {' '.join(declaration.split())[:60]}")
        for f in functions:
            for m in re.finditer(r"\bstatic\s[^;]*;", f.body):
                if is_mutable(m[0].rstrip(";")):
                    self.error(path, line_of(f.offset + m.start()),
                               f"mutable state in {f.name}(): {' '.join(m[0].split())[:60]}")


def text_files():
    """Every text file of the tree, without build folders and binary corpora."""
    tops = sorted(p for p in ROOT.iterdir()
                  if not p.name.startswith("build") and p.name not in (".git",))
    for top in tops:
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            parts = file.relative_to(ROOT).parts
            if not file.is_file() or "__pycache__" in parts:
                continue
            if parts[:2] == ("tests", "fuzz") and parts[2] in ("corpus", "regression"):
                continue  # bytes for a parser, not text for people
            try:
                yield file.relative_to(ROOT).as_posix(), file.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                continue  # not text


def known_statements():
    table = ROOT / "tests/spec/statements.tsv"
    return {line.split("\t")[0] for line in table.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#")}


def main():
    lint = Lint(known_statements())
    for path, text in text_files():
        lint.text(path, text)
        if path.endswith((".c", ".h")):
            lint.source(path, text)
    if "--aims" in sys.argv:
        print("\n".join(lint.aims))
    print("\n".join(lint.errors) + "\n" if lint.errors else "", end="")
    print(f"lint: {len(lint.errors)} errors; {len(lint.aims)} aims missed (lint.py --aims)")
    return bool(lint.errors)


if __name__ == "__main__":
    sys.exit(main())
