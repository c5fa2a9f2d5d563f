#!/usr/bin/env python3
"""58-openwrt.py MEROSSD PLUGSIM [words] - the OpenWrt package, without a router: its Makefile and its
scripts (tools/packaging/openwrt/check); what the init script makes of /etc/config/merossd and tells
procd; mosquitto's settings taken over; and, as root, the program in a chroot of busybox as procd
would start it there, with a simulated plug, also while its flash is full.

MEROSSD_STATIC=FILE  the program for the chroot; otherwise build/static/merossd-x86_64 where that is
                     there, or MEROSSD with its libraries."""
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import time

import harness
from harness import Client, Program, Skip, check, free_port, run
from router import FILES, PACKAGE, USER, Desk, Router, need, section

MEROSSD, PLUGSIM = harness.program_arguments()
BASE = section("broker", "main", state_dir="ROOT/state", journal_dir="ROOT/journal")
DEFAULTS = ["log_dest syslog", "log_timestamp false",
            "meross_timezone Europe/Berlin CET-1CEST,M3.5.0,M10.5.0/3"]


# ---------------------------------------------------------------- the package

def the_makefile_and_the_scripts_are_sound():
    need("make", "shellcheck", "dash", "busybox")
    status, out, err = run([PACKAGE / "check"])
    check(status == 0, out + err)
    print("    " + "\n    ".join(out.splitlines()))


def check_of(folder, file="Makefile", before="", after=""):
    """What the check says of a copy of the package in which `before` became `after`."""
    source = PACKAGE.parents[2]
    tree = folder / "tree"
    for part in ("tools/packaging/openwrt", "tools/lib"):
        shutil.copytree(source / part, tree / part)
    shutil.copy2(source / "CMakeLists.txt", tree)
    path = tree / "tools/packaging/openwrt/merossd" / file
    text = path.read_text()
    check(before in text, f"{file} has no {before!r}")
    path.write_text(text.replace(before, after, 1))
    return run([tree / "tools/packaging/openwrt/check"])


def faults_in_the_package_are_found():
    """The check can fail: each of these is a mistake that is easily made."""
    need("make", "shellcheck", "dash", "busybox")
    with Desk(MEROSSD) as d:
        status, out, err = check_of(d.root)
        check(status == 0, f"a copy without a fault is not sound: {out}{err}")
    for file, before, after in (
            ("Makefile", "PKG_LICENSE:=MIT\n", ""),
            ("Makefile", "  DEPENDS:=+libuv\n", "  DEPENDS:=+libuv +libmbedtls\n"),
            ("Makefile", "$(PKG_INSTALL_DIR)/usr/bin", "$(PKG_INSTAL_DIR)/usr/bin"),
            ("Makefile", "-DMD_TESTS=OFF", "$(MD_TESTS)"),
            ("Makefile", "HASH:=5f", "HASH:=skip5f"),
            ("files/merossd.init", "esac\n}", "esac\nfi\n}"),
            ("files/merossd.json", "],", "]"),
            ("files/merossd.keep", "/etc/", "/tmp/")):
        with Desk(MEROSSD) as d:
            status, out, err = check_of(d.root, file, before, after)
            check(status != 0, f"{file}: {before!r} became {after!r}, and nobody minds: {out}{err}")


# ---------------------------------------------------------------- the init script

def the_defaults():
    with Desk(MEROSSD) as d:
        text = (FILES / "merossd.config").read_text()
        d.uci(text.replace("/etc/merossd'", "ROOT/state'").replace("/var/run/", "ROOT/"))
        check(d.run("start") == 0, d.said)
        check(d.lines() == ["state_dir ROOT/state", "journal_dir ROOT/merossd",
                            "persistence_sync 60", *DEFAULTS, "listener 8883", "tls auto",
                            "listener 1883 127.0.0.1"], d.conf)
        expected = """\
chown [-hR] [merossd:merossd] [ROOT/state]
chown [-hR] [merossd:merossd] [ROOT/merossd]
chgrp [-R] [merossd] [ROOT/etc]
procd_open_instance
procd_set_param [command] [MEROSSD] [-c] [ROOT/etc/merossd.conf]
procd_set_param [file] [ROOT/etc/merossd.conf]
procd_set_param [respawn] [3600] [5] [0]
procd_set_param [stdout] [1]
procd_set_param [stderr] [1]
procd_set_param [limits] [nofile=4096 4096] [core=0]
procd_set_param [term_timeout] [15]
procd_set_param [user] [merossd]
procd_set_param [group] [merossd]
procd_set_param [capabilities] [/etc/capabilities/merossd.json]
procd_set_param [no_new_privs] [1]
procd_add_jail [merossd] [log] [procfs]
procd_add_jail_mount [ROOT/etc] [/etc/TZ] [/etc/hosts] [/etc/resolv.conf] [/usr/share/zoneinfo]
procd_add_jail_mount_rw [ROOT/state] [ROOT/merossd]
procd_open_data
json_add_object [mdns]
procd_add_mdns_service [secure-mqtt] [tcp] [8883]
json_close_object
procd_close_data
procd_close_instance
procd_add_reload_trigger [merossd] [system]
procd_add_restart_mount_trigger [ROOT/state]"""
        check(d.calls == expected.replace("MEROSSD", MEROSSD).splitlines(), "\n".join(d.calls))


def without_sections_there_is_still_a_broker():
    with Desk("/bin/true") as d:  # its places are the router's own: nothing is made there
        d.uci("")
        status = d.run("read_config")
        check(status == 0, d.said)
        d.run("read_config; printf '%s' \"$globals\" | while read -r l; do record $l; done")
        check(d.calls[:2] == ["state_dir [/etc/merossd]", "journal_dir [/var/run/merossd]"], d.calls)


def everything_that_a_section_can_have():
    with Desk(MEROSSD) as d:
        (d.root / "acl").write_text("topic read #\n")
        d.uci(section("listener", "third", address="ROOT/socket", port="0", unix_socket_mode="600") +
              section("broker", "main", state_dir="ROOT/state", journal_dir="ROOT/journal",
                      meross_key=["one key", "it's \"quoted\" $HOME `id`"], meross_auth="known",
                      log_dest=["file ROOT/log/merossd.log", "topic"], log_timestamp="1",
                      max_packet_size="1000", meross_lan="off", meross_timezone="UTC0",
                      acl_file="ROOT/acl", ntp_listener="123", allow_anonymous="0") +
              section("listener", port="8883", tls="1", max_connections="50") +
              section("listener", "web", port="8884", address="192.0.2.1", protocol="websockets",
                      websockets_origin=["https://a.example", "https://b.example"], tls="0") +
              section("listener", "clear", port="1883") +
              section("listener", "off", port="99999", enabled="0") +
              section("bridge", "office", address="broker.example.org:8883", bridge_insecure="1",
                      topic=['meross/# out 1 "" houses/12/', "meross/+/set in 1"],
                      bridge_cafile="/etc/ssl/certs/ca-certificates.crt"))
        (d.root / "log").mkdir()
        status = d.run("start")
        if not pathlib.Path("/etc/ssl/certs/ca-certificates.crt").exists():
            raise Skip("no ca-certificates here")
        check(status == 0, d.said)
        expected = """\
state_dir ROOT/state
journal_dir ROOT/journal
meross_key one key
meross_key it's "quoted" $HOME `id`
meross_auth known
log_dest file ROOT/log/merossd.log
log_dest topic
log_timestamp 1
max_packet_size 1000
meross_lan off
meross_timezone UTC0
acl_file ROOT/acl
ntp_listener 123
allow_anonymous 0
listener 0 ROOT/socket
unix_socket_mode 600
listener 8883
tls auto
max_connections 50
listener 8884 192.0.2.1
protocol websockets
websockets_origin https://a.example
websockets_origin https://b.example
listener 1883
connection office
address broker.example.org:8883
bridge_insecure 1
topic meross/# out 1 "" houses/12/
topic meross/+/set in 1
bridge_cafile /etc/ssl/certs/ca-certificates.crt"""
        check(d.lines() == expected.splitlines(), d.conf)
        for call in ("procd_add_jail_mount_rw [ROOT/log]", "procd_add_jail_mount [ROOT]",
                     "procd_add_jail_mount [/etc/ssl/certs]", "procd_add_jail_mount_rw [ROOT]",
                     "procd_add_mdns_service [secure-mqtt] [tcp] [8883]",
                     "procd_add_mdns_service [mqtt] [tcp] [1883]"):
            check(call in d.calls, call + " is missing:\n" + "\n".join(d.calls))
        check(sum("mdns_service" in c for c in d.calls) == 2, d.calls)


def every_option_can_be_reached():
    _, table, _ = run([MEROSSD, "help", "options"])
    names = re.findall(r"^\| `(\w+)`.*?(of the (?:listener|bridge) above it)?(?:\) )?\|$", table, re.M)
    check(len(names) > 100, names)
    special = {"listener", "connection", "user", "tls"}  # sections, procd's, and 0 or 1
    kinds = {"broker": [], "listener": ["listener 1"], "bridge": ["connection b"]}
    text = {"broker": {}, "listener": {"port": 1}, "bridge": {}}
    for name, scope in names:
        if name in special:
            continue
        kind = scope.split()[2] if scope else "broker"
        text[kind][name] = "x"
        kinds[kind].append(f"{name} x")
    with Desk("/bin/true") as d:
        text["broker"].update(state_dir="ROOT/s", journal_dir="ROOT/j")
        d.uci("".join(section(k, "b", **v) for k, v in text.items()))
        check(d.run("start") == 0, d.said)
        for kind, wanted in kinds.items():
            for line in wanted:
                known = line in d.lines() or line.split()[0] in ("state_dir", "journal_dir")
                check(known, f"{kind}: {line} did not arrive:\n{d.conf}")


def zones():
    for system, line in (
            (section("system", timezone="EST5EDT,M3.2.0,M11.1.0", zonename="America/New York"),
             "meross_timezone America/New_York EST5EDT,M3.2.0,M11.1.0"),
            (section("system", timezone="UTC"), "meross_timezone UTC0"),
            (section("system", timezone="GMT0", zonename="UTC"), "meross_timezone UTC GMT0"),
            (section("system", timezone="<+0330>-3:30"), "meross_timezone <+0330>-3:30"),
            (section("system", timezone="IST-1GMT0,M10.5.0,M3.5.0/1", zonename="Europe/Dublin"),
             "meross_timezone Europe/Dublin IST-1GMT0,M10.5.0,M3.5.0/1"),
            (section("system", timezone="EET-2EEST,M3.4.4/50,M10.4.4/50", zonename="Asia/Gaza"),
             "meross_timezone Asia/Gaza EET-2EEST,M3.4.4/50,M10.4.4/50"),
            (section("system", hostname="x"), None), ("", None)):
        with Desk(MEROSSD) as d:
            d.uci(BASE + section("listener", port="1", address="127.0.0.1"))
            d.uci(system, "system")
            check(d.run("start") == 0, f"{line}: {d.said}")
            found = [l for l in d.lines() if l.startswith("meross_timezone")]
            check(found == ([line] if line else []), f"{found} for {line}")


def users_become_a_password_file():
    with Desk(MEROSSD) as d:
        hashed = "$7$101$" + "A" * 16 + "$" + "B" * 86 + "=="
        d.uci(BASE + section("listener", port="1", address="127.0.0.1") +
              section("user", username="anna", password="it's 'her' $secret") +
              section("user", username="bert", password=hashed) +
              section("user", username="gone", password="x", enabled="0"))
        check(d.run("start") == 0, d.said)
        check("password_file ROOT/etc/users" in d.lines(), d.conf)
        users = (d.root / "etc/users").read_text().splitlines()
        check([u.split(":")[0] for u in users] == ["anna", "bert"], users)
        check(users[1] == f"bert:{hashed}" and "secret" not in "".join(users), users)
        mode = (d.root / "etc/users").stat().st_mode & 0o777
        check(mode == 0o640, oct(mode))
        check((d.root / "etc").stat().st_mode & 0o777 == 0o750, "others can look into it")


def refused(uci, words, desk=None):
    """Nothing is started, and the log says why, in one line each."""
    with desk or Desk(MEROSSD) as d:
        d.uci(uci)
        status = d.run("start")
        check(status != 0, f"started with:\n{uci}{d.conf}")
        check(re.search(words, d.said), f"/{words}/ is not in:\n{d.said}")
        check("merossd is not started" in d.said, d.said)
        check(d.conf is None and "procd_open_instance" not in d.calls, d.calls)


def bad_values_start_nothing():
    one = section("listener", port="1", address="127.0.0.1")
    refused(BASE + section("listener", "l", port="70000"), r"merossd.conf.new:\d+: .*listener")
    refused(BASE + section("listener", "l", address="::1"), "'l': a listener needs a port")
    refused(BASE + section("listener", port="1", address="127.0.0.1", max_qos="3"), "max_qos")
    refused(BASE + one + section("broker", "more", max_packet_sice="1"), "max_packet_size")
    refused(BASE + one + section("brokr", "x"), "'brokr' is none of broker")
    refused(BASE + one + section("user", "u", username="x"), "'u': a user needs a username and a")
    refused(BASE + one + section("user", "u", username="x", password="y", acl="z"), "and no acl")
    refused(section("broker", "main", state_dir="ROOT/s", journal_dir="ROOT/j",
                    listener="1883") + one, "listener is not an option here")
    refused(section("broker", "main", state_dir="ROOT/s", journal_dir="ROOT/j",
                    user="nobody-here") + one, "there is no user 'nobody-here'")
    refused(section("broker", "main", state_dir="ROOT/s", journal_dir="ROOT/j",
                    password_file="/x") + one + section("user", username="u", password="p"),
            "exclude each other")
    refused(BASE + one + "\toption broken 'quote\n", "cannot be read; `uci show merossd`")
    refused(section("broker", "main", state_dir="/dev/null/x", journal_dir="ROOT/j") + one,
            r"cannot make /dev/null/x \(Not a directory\): is the flash full or read-only\?")


def line_breaks_add_no_options():
    """Whoever may set one option must not set others with it."""
    for where in ("meross_key", "log_timestamp_format"):
        evil = section("broker", "main", state_dir="ROOT/s", journal_dir="ROOT/j",
                       **{where: "x\nallow_anonymous true"})
        refused(evil + section("listener", port="1"), f"option {where}: there is a line break")
    refused(BASE + section("listener", "l", port="1\nallow_anonymous true"), "line break")
    refused(BASE + section("listener", "l", port="1", address="::1\r\nallow_anonymous true"),
            "line break")
    refused(BASE + section("bridge", "b", address="h", topic=["a", "b\nuser root"]), "line break")
    refused(BASE + section("bridge", "b", address="h", connection="x\nuser root"), "line break")
    refused(BASE + section("listener", port="1") +
            section("user", username="u", password="p\nroot:$7$1$a$b"), "line break")
    with Desk(MEROSSD) as d:  # and what a shell would run is text
        d.uci(section("broker", "main", state_dir="ROOT/s", journal_dir="ROOT/j",
                      meross_key="$(touch ROOT/evil) `touch ROOT/evil`; touch ROOT/evil") +
              section("listener", port="1", address="127.0.0.1"))
        check(d.run("start") == 0, d.said)
        check(not (d.root / "evil").exists(), "a value was run")


def disabled_is_not_started():
    with Desk(MEROSSD) as d:
        for word in ("0", "off", "false", "no", "disabled"):
            d.uci(section("broker", "main", enabled=word, state_dir="ROOT/s"))
            check(d.run("start") == 0, d.said)
            check(not any("open_instance" in c for c in d.calls) and not d.said, d.calls)


def without_a_jail_merossd_leaves_root_itself():
    with Desk(MEROSSD, jail=False) as d:
        d.uci(BASE + section("listener", port="1", address="127.0.0.1"))
        check(d.run("start") == 0, d.said)
        check("user merossd" in d.lines(), d.conf)
        check(not any("jail" in c or "[user]" in c for c in d.calls), d.calls)


def reload_restarts_only_where_it_must():
    base = section("listener", port="1", address="127.0.0.1")
    with Desk(MEROSSD) as d:
        d.uci(BASE + base)
        check(d.run("reload_service") == 0 and "procd_open_instance" in d.calls, d.calls)
        soft = section("broker", "main", state_dir="ROOT/state", journal_dir="ROOT/journal",
                       max_packet_size="5000", meross_key="k") + base
        d.uci(soft)
        check(d.run("reload_service", running=True) == 0, d.said)
        check("procd_send_signal [merossd] [*] [HUP]" in d.calls and "restart" not in d.calls, d.calls)
        check("max_packet_size 5000" in d.lines(), d.conf)
        d.uci(soft + section("listener", port="2", address="127.0.0.1"))
        check(d.run("reload_service", running=True) == 0 and "restart" in d.calls, d.calls)
        check("listener 2 127.0.0.1" in d.lines(), d.conf)
        d.uci(soft.replace("5000", "many"))
        check(d.run("reload_service", running=True) != 0, "a bad value was taken")
        check("runs on with the configuration that it has" in d.said, d.said)
        check("listener 2 127.0.0.1" in d.lines() and "max_packet_size 5000" in d.lines(), d.conf)
        check("stop" not in d.calls and "restart" not in d.calls, d.calls)
        d.uci(soft.replace("option state_dir", "option enabled '0'\n\toption state_dir"))
        check(d.run("reload_service", running=True) == 0 and "stop" in d.calls, d.calls)


def folders_of_others_stay_theirs():
    with Desk(MEROSSD) as d:
        d.uci(BASE + section("listener", port="1", address="127.0.0.1"))
        (d.root / "state").mkdir()
        (d.root / "state/photo.jpg").write_text("")
        check(d.run("start") == 0, d.said)
        check(not any("ROOT/state" in c for c in d.calls if c.startswith("chown")), d.calls)
        for ours in ("id", "ca.key"):  # of a start; of `merossd restore` before the first one
            (d.root / "state" / ours).write_text("0" * 32)
            d.run("start")
            check("chown [-hR] [merossd:merossd] [ROOT/state]" in d.calls, f"{ours}: {d.calls}")
            (d.root / "state" / ours).unlink()


def a_program_for_another_processor_is_called_so():
    with Desk(MEROSSD) as d:
        foreign = d.root / "bin/merossd"
        foreign.parent.mkdir()
        evil = b"\ntouch " + bytes(d.root / "evil") + b"\n"  # ash would run it
        foreign.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xf7\x00" + evil)
        foreign.chmod(0o755)
        uci = BASE + section("listener", port="1", address="127.0.0.1")
        env = dict(os.environ, PATH=f"{d.root}/bin:/usr/bin:/bin")
        test = ["busybox", "ash", PACKAGE / "merossd/test.sh", "merossd", "0.1"]
        refused(uci, "does not run on this router .*built for another processor", Desk(foreign))
        status, out, _ = run(test, env=env)
        check(status == 1 and "another processor" in out, f"{status} {out}")
        check(not (d.root / "evil").exists(), "it was run")
        foreign.unlink()
        refused(uci, "does not run on this router .*it is missing", Desk(foreign))
        status, out, _ = run(test, env=env)
        check(status == 1 and "not installed" in out, f"{status} {out}")


def the_feeds_own_test():
    with Desk(MEROSSD) as d:
        (d.root / "bin").mkdir()
        (d.root / "bin/merossd").symlink_to(MEROSSD)
        env = dict(os.environ, PATH=f"{d.root}/bin:/usr/bin:/bin")
        version = run([MEROSSD, "--version"])[1].split()[1]
        for package, asked, wanted in (("merossd", version, 0), ("merossd-mbedtls", version, 0),
                                       ("merossd", "99.1", 1), ("other", "99.1", 0)):
            status, out, err = run(["busybox", "ash", PACKAGE / "merossd/test.sh", package, asked],
                                   env=env)
            check(status == wanted, f"{package} {asked}: {status} {out}{err}")


# ---------------------------------------------------------------- mosquitto's settings

MOSQUITTO_UCI = (
    section("owrt", "owrt", use_uci="1") +
    section("mosquitto", "mosquitto", log_dest=["syslog", "topic"], log_types="error warning",
            no_remote_access="1", port="1884", allow_anonymous="1", max_queued_messages="5",
            pid_file="/var/run/m.pid", allow_duplicate_messages="1", user="mosquitto") +
    section("persistence", "persistence", client_expiration="2m", persistence="1",
            location="/srv/mosquitto/", file="m.db", autosave_interval="60") +
    section("listener", port="1885", no_remote_access="1", http_dir="/www", max_connections="7") +
    section("listener", port="9001", protocol="websockets") +
    section("bridge", "far", connection="it's far", address="far.example.org:1883",
            topic=["a/# both 1", "b/# out 0 x/ y/"], attempt_unsubscribe="0", cleansession="1",
            username="u", password="p w", try_private="1"))


def imported(d, *options):
    env = dict(os.environ, UCI_DIR=f"{d.root}/config", IPKG_INSTROOT=str(PACKAGE / "standin"),
               PATH=f"{d.root}/bin:{os.environ['PATH']}")
    (d.root / "bin").mkdir(exist_ok=True)
    if not (d.root / "bin/merossd").exists():
        (d.root / "bin/merossd").symlink_to(MEROSSD)
    return run(["busybox", "ash", FILES / "merossd-import-uci", *options], env=env)


def mosquittos_uci_is_taken_over():
    with Desk(MEROSSD) as d:
        d.uci(MOSQUITTO_UCI, "mosquitto")
        status, out, err = imported(d)
        check(status == 0, f"{status} {out} {err}")
        for words in ("list log_dest 'topic'", "list log_type 'warning'", "option port '1884'",
                      "option bind_address 'localhost'", "option allow_anonymous '1'",
                      "option persistent_client_expiration '2m'", "option port '1885'",
                      "option persistence_location '/srv/mosquitto/'",
                      "option address '127.0.0.1'", "option protocol 'websockets'",
                      r"option connection 'it'\''s far'", "list topic 'b/# out 0 x/ y/'",
                      "option bridge_attempt_unsubscribe '0'", "option password 'p w'",
                      "option tls 'auto'"):
            check(words in out, f"{words} is not in:\n{out}")
        for words in ("left: persistence: autosave_interval: .*merossd",
                      "left: mosquitto: pid_file: procd", "left: mosquitto: user: procd",
                      "left: mosquitto: allow_duplicate_messages: .", "left: listener .*: http_dir: .",
                      "merossd import mosquitto /tmp/mosquitto.generated.conf"):
            check(re.search(words, err), f"{words} is not in:\n{err}")
        out = out.replace("'/etc/merossd'", "'ROOT/s'").replace("'/var/run/merossd'", "'ROOT/j'")
        d.uci(out)
        check(d.run("start") == 0, f"{d.said}\n{out}")
        check("connection it's far" in d.lines() and "listener 8883" in d.lines(), d.conf)


def a_mosquitto_conf_is_taken_over():
    with Desk(MEROSSD) as d:
        conf = d.root / "m.conf"
        conf.write_text("# a comment\r\nper_listener_settings true\nlistener 1883 192.0.2.1\n"
                        "allow_anonymous true\nmax_queued_bytes 7\nplugin /x.so\n"
                        "listener 8883\ntls auto\n\nconnection c\naddress h:1\ntopic # in 0")
        d.uci(section("owrt", "owrt", use_uci="0"), "mosquitto")
        status, out, err = imported(d, conf)
        check(status == 0, f"{status} {out} {err}")
        check(out.index("max_queued_bytes") < out.index("config listener") <
              out.index("option allow_anonymous 'true'") < out.index("8883"), out)
        check("list topic '# in 0'" in out and out.count("8883") == 1, out)
        check("left: listener 1883 192.0.2.1: plugin: merossd loads no plugins" in err or
              "loads no plugins" in err, err)
        status, out, err = imported(d, d.root / "none.conf")
        check(status == 1 and "cannot be read" in err, f"{status} {err}")


def mosquitto_on_the_same_port_is_told():
    need("busybox")
    with Desk(MEROSSD) as d:
        text = (FILES / "merossd.defaults").read_text()
        text = text.replace("/etc/init.d/mosquitto", f"{d.root}/mosquitto", 2)
        (d.root / "mosquitto").write_text("#!/bin/sh\nexit ${DISABLED-0}\n")
        (d.root / "mosquitto").chmod(0o755)
        (d.root / "bin").mkdir()
        (d.root / "bin/uci").write_text(f"#!/bin/sh\ncat {d.root}/show.$3\n")
        (d.root / "bin/logger").write_text("#!/bin/sh\n")
        for p in (d.root / "bin").iterdir():
            p.chmod(0o755)
        (d.root / "show.merossd").write_text("merossd.plugs.port='8883'\nmerossd.x.port='1883'\n")
        for mosquitto, off, told in (("mosquitto.owrt.use_uci='0'\n", "0", "1883"),
                                     ("mosquitto.l.port='8883'\n", "0", "8883"),
                                     ("mosquitto.l.port='1999'\n", "0", None),
                                     ("mosquitto.l.port='8883'\n", "1", None)):
            (d.root / "show.mosquitto").write_text(mosquitto)
            env = dict(os.environ, PATH=f"{d.root}/bin:{os.environ['PATH']}", DISABLED=off)
            status, out, err = run(["busybox", "ash", "-c", text], env=env)
            check(status == 0 and not err, f"{status} {err}")
            check((f"has port {told}," in out) if told else not out, f"{mosquitto} {off}: {out}")


# ---------------------------------------------------------------- in the chroot

def program_for_the_router():
    given = os.environ.get("MEROSSD_STATIC")
    static = PACKAGE.parents[2] / "build/static/merossd-x86_64"
    if given or (static.exists() and os.uname().machine == "x86_64"):
        return pathlib.Path(given or static)
    return pathlib.Path(MEROSSD)


class Running:
    """The broker of a router, started as its init script tells procd."""

    def __init__(self, router, persistence_sync="60", **more):
        self.router, self.tls, self.tcp = router, free_port(), free_port()
        self.uci = (section("broker", "main", persistence_sync=persistence_sync, log_dest="stderr",
                            **more) +
                    section("listener", "plugs", port=self.tls, tls="auto") +
                    section("listener", "clear", port=self.tcp, address="127.0.0.1"))
        self.program = None

    def start(self):
        self.router.put(self.uci, "etc/config/merossd", 0o600)
        status, calls = self.router.init("start")
        check(status == 0, calls)
        argv, user = self.router.command(calls)
        who = [f"--userspec={user}:{user}", "--groups="] if user != "root" else []
        self.program = Program(["chroot", *who, self.router.root, *argv])
        self.program.wait_line("listening on every address, port", patience=60)
        return self

    def stop(self):
        status = self.program.kill(signal.SIGTERM)
        text = self.program.text()
        check(status == 0 and not harness.SANITIZER.search(text), f"{status}:\n{text[-3000:]}")

    def tool(self, *words):
        return self.router.sh("/usr/bin/merossd", *words, "-h", "127.0.0.1", "-p", str(self.tcp))

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.program is not None and self.program.alive():
            self.program.kill()
            print("--- the broker said:", *self.program.text().splitlines()[-30:], sep="\n    ")


def owner(pid):
    fields = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^Uid:\s+(\d+)", fields, re.M)[1])


def a_plug_is_switched(broker, name="mss210"):
    sim = Program([PLUGSIM, "--port", broker.tls, "--type", name], stdin=True)
    try:
        sim.wait_line("^plug 0 bound")
        watcher = Client(broker.tcp, "watcher")
        watcher.subscribe("meross/broker/plugs", 1)
        for _ in range(20):
            status, out, err = broker.tool("list", "--json")
            check(status == 0, f"{status} {out}{err}")
            plugs = [p for p in json.loads(out)["plugs"] if p["type"] == name]
            if plugs and "state" in plugs[0]["state"]:
                break
            watcher.message()
        mark = sim.mark()
        status, out, err = broker.tool("on", plugs[0]["name"])
        check(status == 0 and "ON" in out, f"{status} {out}{err}")
        sim.wait_line("relay 0 on", mark)
        watcher.disconnect()
    finally:
        if sim.alive():
            sim.tell("quit")
        sim.wait()


def a_plug_on_the_router():
    for jail in (True, False):
        with Router(program_for_the_router(), jail) as r, Running(r) as b:
            a_plug_is_switched(b)
            check(owner(b.program.process.pid) == 218, "it is somebody else's process")
            check("Europe/Berlin" in b.program.text(), b.program.text())
            client = Client(b.tcp, "c")
            client.publish("kept", b"1", qos=1, retain=True)
            client.disconnect()
            journal = list((r.root / "tmp/run/merossd").glob("*/*.hot"))
            check(journal, "nothing is in journal_dir")
            check(not list((r.root / "etc/merossd").glob("*.hot")), "a journal is in flash")
            status, out, err = r.sh("/bin/sh", "/tmp/test.sh", "merossd", "0.1.0")
            check(status == 0, f"test.sh: {out}{err}")
            print(f"    {r.merossd.name}, {'with' if jail else 'without'} a jail:"
                  f"{b.program.wait_line('merossd .* runs').partition(':')[2]}")


def reload_reaches_the_running_one():
    with Router(program_for_the_router()) as r, Running(r) as b:
        r.put(b.uci + section("broker", "more", max_packet_size="777"), "etc/config/merossd")
        record = r.root / "tmp/record"
        record.write_text("")
        status, out, err = run(["chroot", r.root, "/etc/init.d/merossd", "reload"],
                               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "RUNNING": "1"})
        calls = record.read_text().splitlines()
        check(status == 0 and "procd_send_signal [merossd] [*] [HUP]" in calls, f"{calls}{out}{err}")
        mark = b.program.mark()
        b.program.process.send_signal(signal.SIGHUP)
        b.program.wait_line("SIGHUP: the configuration was read again", mark)


def a_full_flash_stops_nobody():
    """The state lies on a file system without room: plugs work, the log says so, and once there is
    room again everything is kept."""
    with Router(program_for_the_router()) as r:
        r.mount("-t", "tmpfs", "-o", "size=256k,mode=0755", "tmpfs", at="etc/merossd")
        with Running(r, persistence_sync="1") as b:
            a_plug_is_switched(b)
            client = Client(b.tcp, "c")
            client.publish("kept/before", b"1", qos=1, retain=True)
            filler = fill(r.root / "etc/merossd/filler")
            mark = b.program.mark()
            client.publish("kept/full", b"2", qos=1, retain=True)
            said = b.program.wait_line("No space left|cannot be written|full", mark)
            print("    " + said)
            a_plug_is_switched(b, "mss310")
            filler.unlink()
            client.publish("kept/after", b"3", qos=1, retain=True)
            client.disconnect()
        with Running(r, persistence_sync="1") as b:
            client = Client(b.tcp, "d")
            client.subscribe("kept/#", 1)
            got = {client.message()["topic"] for _ in range(3)}
            check(got == {"kept/before", "kept/full", "kept/after"}, got)
            status, out, _ = b.tool("list", "--json")
            check(status == 0 and len(json.loads(out)["plugs"]) == 2, out)
            client.disconnect()


def a_flash_that_cannot_be_written_is_one_line():
    with Router(program_for_the_router()) as r:
        b = Running(r)
        r.put(b.uci, "etc/config/merossd", 0o600)
        r.mount("-t", "tmpfs", "-o", "size=64k,mode=0755,ro", "tmpfs", at="etc/merossd")
        status, calls = r.init("start")
        said = [c for c in calls if "Read-only file system" in c]
        check(status != 0 and len(said) == 1, calls)
        check(not any("open_instance" in c for c in calls), calls)
        print("    " + said[0])
        for options, words in ((f"ro,uid={USER}", "Read-only file system"),
                               (f"nr_inodes=1,uid={USER}", "No space left")):
            r.mount("-t", "tmpfs", "-o", f"size=64k,mode=0700,{options}", "tmpfs", at="etc/merossd")
            status, calls = r.init("start")
            check(status == 0, calls)
            argv, user = r.command(calls)
            status, out, err = r.sh(*argv, user=USER)
            check(status == 1 and len(err.splitlines()) == 1 and words in err, f"{user}: {out}{err}")
            print("    " + err.strip())


def a_power_cut_takes_no_plug_and_no_name():
    """Flash is spared for an hour; a plug that came and its name are there after two seconds."""
    with Router(program_for_the_router()) as r:
        with Running(r, persistence_sync="3600") as b:
            a_plug_is_switched(b)
            name = json.loads(b.tool("list", "--json")[1])["plugs"][0]["name"]
            status, out, err = b.tool("rename", name, "precious")
            check(status == 0, f"{status} {out}{err}")
            client = Client(b.tcp, "c")
            client.publish("waits", b"for an hour", qos=1, retain=True)
            client.disconnect()
            deadline = time.monotonic() + harness.PATIENCE
            while not any(b'"precious"' in p.read_bytes()
                          for p in (r.root / "etc/merossd").glob("state.*")):
                check(time.monotonic() < deadline, "the name is not in flash")
                b.tool("list")
            b.program.kill()  # and what was in memory is gone:
            shutil.rmtree(r.root / "tmp/run/merossd")
            b.start()
            status, out, _ = b.tool("list", "--json")
            plugs = json.loads(out)["plugs"]
            check(status == 0 and [p["name"] for p in plugs] == ["precious"], out)


def fill(path):
    """Writes until there is no room, to the last byte."""
    with open(path, "wb", buffering=0) as f:
        for size in (4096, 1):
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass
    return path


def main():
    return harness.main([
        the_makefile_and_the_scripts_are_sound, faults_in_the_package_are_found, the_defaults,
        without_sections_there_is_still_a_broker, everything_that_a_section_can_have,
        every_option_can_be_reached, zones, users_become_a_password_file, bad_values_start_nothing,
        line_breaks_add_no_options, disabled_is_not_started,
        without_a_jail_merossd_leaves_root_itself, reload_restarts_only_where_it_must,
        folders_of_others_stay_theirs, a_program_for_another_processor_is_called_so,
        the_feeds_own_test, mosquittos_uci_is_taken_over, a_mosquitto_conf_is_taken_over,
        mosquitto_on_the_same_port_is_told, a_plug_on_the_router, reload_reaches_the_running_one,
        a_power_cut_takes_no_plug_and_no_name,
        a_full_flash_stops_nobody, a_flash_that_cannot_be_written_is_one_line])


if __name__ == "__main__":
    sys.exit(main())
