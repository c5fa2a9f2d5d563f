/* What the broker asks of the computer: zone, names, folder, lock, pid file, ports, log. */
#include "broker/base/mem.h"
#include "tests/fake/fake_env.h"
#include "tests/unit/no_leak.h"
#include "tools/config/config.h"
#include "tools/file.h"
#include "tools/hostnet.h"
#include "tools/hostzone.h"
#include "tools/serve/logsink.h"
#include "tools/serve/serve_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char root[] = "/tmp/merossd-host-XXXXXX";
static char what[HOSTZONE_WHAT_MAX], err[SERVE_HOST_ERR_MAX];
static struct zone zone;

static const char *under(const char *path)
{
    static char full[4][300];
    static unsigned next;
    char *out = full[next++ % 4];
    (void)snprintf(out, sizeof full[0], "%s/%s", root, path);
    return out;
}

static void put(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(under(path), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void put_text(const char *path, const char *text) { put(path, text, strlen(text)); }

/* A zoneinfo file without transitions: all of it is the rule at its end [RFC 8536]. */
static void put_zoneinfo(const char *path, const char *rule)
{
    uint8_t head[44] = "TZif2", types[10] = {0};
    FILE *f = fopen(under(path), "wb");
    assert_non_null(f);
    head[39] = 1; /* one local time type */
    head[43] = 4; /* bytes of names      */
    memcpy(types + 6, "LMT", 3);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fwrite(head, 1, sizeof head, f), sizeof head);
        assert_int_equal(fwrite(types, 1, sizeof types, f), sizeof types);
    }
    fprintf(f, "\n%s\n", rule);
    fclose(f);
}

static int make_root(void **state)
{
    (void)state;
    if (mkdtemp(root) == NULL || file_make_dirs(under("usr/share/zoneinfo/Europe")) != MD_OK ||
        file_make_dirs(under("etc")) != MD_OK)
        return -1;
    put_zoneinfo("usr/share/zoneinfo/Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3");
    put_zoneinfo("usr/share/zoneinfo/UTC", "UTC0");
    return 0;
}

static int remove_root(void **state)
{
    static const char *const paths[] = {"usr/share/zoneinfo/Europe/Berlin",
                                        "usr/share/zoneinfo/UTC",
                                        "usr/share/zoneinfo/Europe",
                                        "usr/share/zoneinfo",
                                        "usr/share",
                                        "usr",
                                        "etc",
                                        ""};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        (void)remove(under(paths[i]));
    return mem_used() == 0 ? 0 : -1;
}

static int find(const char *option, const char *tz)
{
    struct hostzone_places p = {.option = option, .tz = tz, .root = root};
    what[0] = '\0';
    return hostzone_find(&zone, &p, what);
}

static void the_option_comes_first(void **state)
{
    (void)state;
    assert_int_equal(find("Europe/Berlin", "UTC"), MD_OK);
    assert_string_equal(zone.name, "Europe/Berlin");
    assert_string_equal(what, "Europe/Berlin, from meross_timezone");
    assert_int_equal(find("EST5EDT,M3.2.0,M11.1.0", NULL), MD_OK);
    assert_string_equal(zone.name, "EST5EDT,M3.2.0,M11.1.0");
    static const char *const wrong[] = {"Europe/Nowhere", "../etc/x", "/etc/x", "", "a b"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(find(wrong[i], "UTC"), MD_INVAL);
        assert_non_null(strstr(what, "neither a zone"));
    }
}

/* A router has no zoneinfo, but knows both, and a plug is told the name as well as the changes. */
static void the_option_may_bring_its_rule_along(void **state)
{
    (void)state;
    char longest[ZONE_NAME_MAX + 32];
    assert_int_equal(find("Europe/Vienna CET-1CEST,M3.5.0,M10.5.0/3", NULL), MD_OK);
    assert_string_equal(zone.name, "Europe/Vienna");
    assert_true(zone.posix.has_dst);
    assert_string_equal(what, "Europe/Vienna, from meross_timezone");
    assert_int_equal(find("Asia/Kolkata \t <+0530>-5:30 ", NULL), MD_OK);
    assert_int_equal(zone.posix.std_offset, 19800);
    static const char *const wrong[] = {
        "Europe/Vienna nonsense", "../x UTC0", "/x UTC0", " UTC0", "a\x01 UTC0", "Europe/Vienna  "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(find(wrong[i], NULL), MD_INVAL);
    memset(longest, 'x', sizeof longest);
    (void)snprintf(longest + ZONE_NAME_MAX, sizeof longest - ZONE_NAME_MAX, " UTC0");
    assert_int_equal(find(longest, NULL), MD_OK);
    longest[ZONE_NAME_MAX] = 'x';
    (void)snprintf(longest + ZONE_NAME_MAX + 1, sizeof longest - ZONE_NAME_MAX - 1, " UTC0");
    assert_int_equal(find(longest, NULL), MD_INVAL);
}

static void the_environment_comes_second_and_may_be_nonsense(void **state)
{
    (void)state;
    assert_int_equal(find(NULL, ":Europe/Berlin"), MD_OK);
    assert_string_equal(what, "Europe/Berlin, from TZ");
    assert_int_equal(find(NULL, "CET-1CEST,M3.5.0,M10.5.0/3"), MD_OK);
    assert_non_null(strstr(what, "from TZ"));
    assert_int_equal(find(NULL, "Mars/Olympus"), MD_OK);
    assert_string_equal(zone.name, "UTC");
    assert_non_null(strstr(what, "names no zone"));
}

static void openwrt_has_a_rule_in_etc(void **state)
{
    (void)state;
    put_text("etc/TZ", "CET-1CEST,M3.5.0,M10.5.0/3\n");
    assert_int_equal(find(NULL, ""), MD_OK);
    assert_non_null(strstr(what, "from /etc/TZ"));
    assert_true(zone.posix.has_dst);
    unlink(under("etc/TZ"));
}

static void debian_has_a_link_and_a_name(void **state)
{
    (void)state;
    assert_int_equal(symlink("../usr/share/zoneinfo/Europe/Berlin", under("etc/localtime")), 0);
    assert_int_equal(find(NULL, NULL), MD_OK);
    assert_string_equal(what, "Europe/Berlin, from /etc/localtime");
    unlink(under("etc/localtime"));
    put_zoneinfo("etc/localtime", "CET-1CEST,M3.5.0,M10.5.0/3"); /* a copy instead of a link */
    put_text("etc/timezone", "Europe/Vienna\n");
    assert_int_equal(find(NULL, NULL), MD_OK);
    assert_string_equal(zone.name, "Europe/Vienna");
    unlink(under("etc/timezone"));
    assert_int_equal(find(NULL, NULL), MD_OK);
    assert_string_equal(zone.name, "local");
    put_text("etc/localtime", "rubbish");
    assert_int_equal(find(NULL, NULL), MD_OK);
    assert_string_equal(zone.name, "UTC");
    unlink(under("etc/localtime"));
}

static void zones_are_the_same_when_plugs_would_see_no_difference(void **state)
{
    (void)state;
    struct zone other;
    assert_int_equal(find("Europe/Berlin", NULL), MD_OK);
    other = zone;
    assert_true(hostzone_same(&zone, &other, 1700000000));
    assert_int_equal(find("UTC0", NULL), MD_OK);
    assert_false(hostzone_same(&zone, &other, 1700000000));
    assert_int_equal(zone_parse_posix(&zone, "Europe/Berlin", "CET-1CEST,M3.5.0,M10.4.0/3"), MD_OK);
    assert_false(hostzone_same(&zone, &other, 1700000000));
}

/* --- names --------------------------------------------------------------------------------- */

static void names_are_kept_once_and_have_an_end(void **state)
{
    (void)state;
    struct hostnet h = {.n = 0};
    char name[HOSTNET_NAME_MAX + 1];
    hostnet_add(&h, "a");
    hostnet_add(&h, "a");
    hostnet_add(&h, "");
    assert_int_equal(h.n, 1);
    memset(name, 'x', sizeof name);
    name[HOSTNET_NAME_MAX] = '\0';
    hostnet_add(&h, name);
    assert_int_equal(h.n, 1);
    name[HOSTNET_NAME_MAX - 1] = '\0';
    hostnet_add(&h, name);
    assert_int_equal(h.n, 2);
    for (unsigned i = 0; i < 2 * HOSTNET_NAMES_MAX; i++) {
        (void)snprintf(name, sizeof name, "n%u", i);
        hostnet_add(&h, name);
    }
    assert_int_equal(h.n, HOSTNET_NAMES_MAX);
    assert_null(h.list[h.n]);
    assert_string_equal(h.list[0], "a");
}

static void this_computer_is_at_least_localhost(void **state)
{
    (void)state;
    struct hostnet h;
    bool found[3] = {false};
    static const char *const must[] = {"localhost", "127.0.0.1", "::1"};
    hostnet_read(&h);
    for (size_t i = 0; i < h.n; i++)
        for (size_t j = 0; j < 3; j++)
            found[j] |= strcmp(h.list[i], must[j]) == 0;
    assert_true(found[0] && found[1] && found[2]);
    assert_null(h.list[h.n]);
}

static void temporary_addresses_are_recognised(void **state)
{
    (void)state;
    static const char table[] = "00000000000000000000000000000001 01 80 10 80       lo\n"
                                "20010db8000000000000000000000001 02 40 00 80     eth0\n"
                                "20010db8000000000000000000000002 02 40 00 01     eth0\n"
                                "short\n";
    uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
    assert_false(hostnet_temporary(span_str(table), a));
    a[15] = 2;
    assert_true(hostnet_temporary(span_str(table), a));
    a[15] = 3;
    assert_false(hostnet_temporary(span_str(table), a));
    assert_false(hostnet_temporary(span_str(""), a));
}

/* --- folder, pid, ports -------------------------------------------------------------------- */

static void the_folder_is_made_private_and_locked_once(void **state)
{
    (void)state;
    int lock = -1, again = -1;
    struct stat st;
    assert_int_equal(serve_host_dir(under("var/lib"), &lock, err), MD_OK);
    assert_int_equal(stat(under("var/lib"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(serve_host_dir(under("var/lib"), &again, err), MD_EXIST);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "(process %ld)", (long)getpid());
    assert_non_null(strstr(err, pid));
    close(lock);
    assert_int_equal(serve_host_dir(under("var/lib"), &lock, err), MD_OK);
    close(lock);
    unlink(under("var/lib/lock"));
    rmdir(under("var/lib"));
    rmdir(under("var"));
}

static void a_folder_that_cannot_be_is_named(void **state)
{
    (void)state;
    int lock = -1;
    put_text("etc/file", "");
    assert_int_equal(serve_host_dir(under("etc/file/x"), &lock, err), MD_IO);
    assert_non_null(strstr(err, "etc/file/x: Not a directory"));
    assert_int_equal(serve_host_dir(under("etc/file"), &lock, err), MD_IO);
    unlink(under("etc/file"));
    char path[600];
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(serve_host_dir(path, &lock, err), MD_IO);
}

static void an_existing_folder_keeps_its_mode(void **state)
{
    (void)state;
    int lock = -1;
    struct stat st;
    assert_int_equal(mkdir(under("open"), 0755), 0);
    assert_int_equal(chmod(under("open"), 0755), 0);
    assert_int_equal(serve_host_dir(under("open"), &lock, err), MD_OK);
    assert_int_equal(stat(under("open"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755);
    close(lock);
    unlink(under("open/lock"));
    rmdir(under("open"));
}

static void the_pid_file_holds_the_pid(void **state)
{
    (void)state;
    char path[300], text[32] = "", want[32];
    bool ours = false;
    (void)snprintf(path, sizeof path, "%s", under("pid"));
    put_text("pid", "999999999999\n"); /* of an earlier life, and longer */
    assert_int_equal(serve_host_pid(path, &ours, err), MD_OK);
    assert_true(ours);
    FILE *f = fopen(path, "r");
    assert_int_equal(fread(text, 1, sizeof text - 1, f) > 0, 1);
    fclose(f);
    (void)snprintf(want, sizeof want, "%ld\n", (long)getpid());
    assert_string_equal(text, want);
    unlink(path);
    /* A link that somebody else put there leads nowhere. */
    put_text("victim", "precious");
    assert_int_equal(symlink(under("victim"), path), 0);
    assert_int_equal(serve_host_pid(path, &ours, err), MD_IO);
    assert_false(ours);
    unlink(path);
    unlink(under("victim"));
    assert_int_equal(serve_host_pid("/nowhere/pid", &ours, err), MD_IO);
    assert_non_null(strstr(err, "/nowhere/pid: No such file"));
}

static void taken_ports_are_noticed(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    unsigned port = ntohs(a.sin_port);
    assert_int_equal(serve_host_port_free("127.0.0.1", port, err), MD_IO);
    assert_non_null(strstr(err, "another program has it"));
    assert_int_equal(serve_host_port_free(NULL, port, err), MD_IO);
    close(fd);
    assert_int_equal(serve_host_port_free("127.0.0.1", port, err), MD_OK);
    assert_int_equal(serve_host_port_free("no such host", port, err), MD_OK);
}

/* A child of ours plays the parent of the broker, so that its exit status can be seen. */
static int background(bool reaches_ready)
{
    int status = -1;
    pid_t middle = fork();
    if (middle == 0) {
        int ready = -1;
        if (serve_host_background(&ready, err) != MD_OK)
            _exit(9);
        if (reaches_ready)
            serve_host_ready(ready);
        _exit(3);
    }
    assert_int_equal(waitpid(middle, &status, 0), middle);
    return WEXITSTATUS(status);
}

static void the_parent_leaves_when_the_broker_serves(void **state)
{
    (void)state;
    assert_int_equal(background(true), 0);
    assert_int_equal(background(false), 1);
    serve_host_ready(-1); /* nothing to do */
}

/* --- log ----------------------------------------------------------------------------------- */

static char *logged(struct logsink s, enum log_level lv, const char *module)
{
    char *text = NULL;
    size_t n;
    s.out = open_memstream(&text, &n);
    logsink_write(&s, lv, module, "words");
    fclose(s.out);
    return text;
}

static void expect_log(struct logsink s, enum log_level lv, const char *module, const char *part)
{
    char *text = logged(s, lv, module);
    if (part == NULL)
        assert_string_equal(text, "");
    else if (strstr(text, part) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", text, part);
    free(text);
}

static void lines_have_time_and_level_and_obey_log_type(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    struct logsink s = {.env = &f.env,
                        .dests = CONFIG_TO_STDERR,
                        .timestamp = true,
                        .connections = true,
                        .types = CONFIG_LOG_ALL};
    expect_log(s, LOG_ERROR, "net", "2023-11-1"); /* 1,700,000,000 s, in any zone */
    expect_log(s, LOG_ERROR, "net", " error  net: words\n");
    expect_log(s, LOG_WARN, "net", " warn   net: words\n");
    expect_log(s, LOG_INFO, "net", " info   net: words\n");
    expect_log(s, LOG_DEBUG, "net", " debug  net: words\n");
    s.types = CONFIG_LOG_WARNING;
    expect_log(s, LOG_ERROR, "net", NULL);
    expect_log(s, LOG_WARN, "net", "words");
    s.types = CONFIG_LOG_NOTICE;
    expect_log(s, LOG_INFO, "net", "words");
    s.types = CONFIG_LOG_NONE;
    expect_log(s, LOG_ERROR, "net", NULL);
}

static void published(void *ctx, const char *topic, const char *line)
{
    (void)snprintf(ctx, 200, "%s|%s", topic, line);
}

static void lines_go_where_log_dest_says(void **state)
{
    (void)state;
    struct fake_env f;
    char topic[200] = "", *std = NULL, *err_text;
    size_t n;
    fake_env_init(&f);
    struct logsink s = {.env = &f.env,
                        .dests = CONFIG_TO_STDOUT | CONFIG_TO_TOPIC,
                        .types = CONFIG_LOG_ALL,
                        .publish = published,
                        .publish_ctx = topic};
    s.std = open_memstream(&std, &n);
    err_text = logged(s, LOG_WARN, "net");
    assert_string_equal(err_text, "");
    free(err_text);
    fclose(s.std);
    s.std = NULL;
    assert_string_equal(std, "warn   net: words\n");
    free(std);
    assert_string_equal(topic, "$SYS/broker/log/W|net: words");
    topic[0] = '\0';
    logsink_write(&s, LOG_DEBUG, "net", "words"); /* would feed itself */
    assert_string_equal(topic, "");
    s.dests = CONFIG_TO_NONE;
    logsink_write(&s, LOG_ERROR, "net", "words");
    assert_string_equal(topic, "");
}

static void topics_get_a_hundred_lines_a_second(void **state)
{
    (void)state;
    struct fake_env f;
    char topic[200] = "";
    fake_env_init(&f);
    struct logsink s = {.env = &f.env,
                        .dests = CONFIG_TO_TOPIC,
                        .types = CONFIG_LOG_ALL,
                        .publish = published,
                        .publish_ctx = topic};
    for (unsigned i = 0; i < 100; i++)
        logsink_write(&s, LOG_ERROR, "net", "words");
    assert_string_not_equal(topic, "");
    topic[0] = '\0';
    logsink_write(&s, LOG_ERROR, "net", "words");
    assert_string_equal(topic, "");
    fake_env_step(&f, 1000);
    logsink_write(&s, LOG_ERROR, "net", "words");
    assert_string_not_equal(topic, "");
}

static void the_time_is_written_as_asked(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    struct logsink s = {.env = &f.env,
                        .dests = CONFIG_TO_STDERR,
                        .timestamp = true,
                        .format = "%Y",
                        .types = CONFIG_LOG_ALL};
    expect_log(s, LOG_ERROR, "net", "2023 error  net: words\n");
    s.timestamp = false;
    char *text = logged(s, LOG_ERROR, "net");
    assert_string_equal(text, "error  net: words\n");
    free(text);
}

static void the_journal_gets_levels_and_no_time(void **state)
{
    (void)state;
    struct fake_env f;
    struct stat st;
    char stream[60];
    fake_env_init(&f);
    struct logsink s = {.env = &f.env,
                        .dests = CONFIG_TO_STDERR,
                        .timestamp = true,
                        .journal = true,
                        .types = CONFIG_LOG_ALL};
    static const char *const want[] = {"<3>net: words\n", "<4>net: words\n", "<6>net: words\n",
                                       "<7>net: words\n"};
    for (int lv = LOG_ERROR; lv <= LOG_DEBUG; lv++) {
        char *text = logged(s, (enum log_level)lv, "net");
        assert_string_equal(text, want[lv]);
        free(text);
    }
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &st), 0);
    (void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    assert_true(logsink_is_journal(file, stream));
    assert_false(logsink_is_journal(file, "1:1")); /* stderr was sent elsewhere */
    assert_false(logsink_is_journal(file, NULL));
    fclose(file);
}

static void count_lines(const char *path, size_t want)
{
    FILE *file = fopen(path, "r");
    size_t n = 0;
    assert_non_null(file);
    for (int c; (c = fgetc(file)) != EOF;)
        n += c == '\n';
    fclose(file);
    assert_int_equal(n, want);
}

/* Rotation: what moved away keeps the old lines, what is opened again gets the new ones. */
static void a_log_file_is_appended_to_and_opened_again(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    struct logsink s = {.env = &f.env, .dests = CONFIG_TO_FILE, .types = CONFIG_LOG_ALL};
    const char *path = under("logs/x.log"), *moved = under("logs/x.log.1");
    assert_int_equal(logsink_open(&s, under("no/such/folder/x.log")), MD_IO);
    assert_int_equal(logsink_open(&s, path), MD_OK); /* makes the last folder */
    logsink_write(&s, LOG_ERROR, "net", "one");
    logsink_close(&s);
    assert_int_equal(logsink_open(&s, path), MD_OK);
    logsink_write(&s, LOG_ERROR, "net", "two");
    assert_int_equal(rename(path, moved), 0);
    logsink_write(&s, LOG_ERROR, "net", "three");
    assert_int_equal(logsink_open(&s, under("no/such/folder/x.log")), MD_IO);
    logsink_write(&s, LOG_ERROR, "net", "four"); /* the old one goes on */
    assert_int_equal(logsink_open(&s, path), MD_OK);
    logsink_write(&s, LOG_ERROR, "net", "five");
    logsink_close(&s);
    count_lines(moved, 4);
    count_lines(path, 1);
    assert_int_equal(unlink(moved), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(under("logs")), 0);
}

static void only_root_becomes_somebody(void **state)
{
    (void)state;
    struct serve_user u;
    assert_int_equal(serve_host_user(NULL, &u, err), MD_OK);
    assert_false(u.wanted);
    assert_int_equal(serve_host_user("root", &u, err), MD_OK);
    assert_false(u.wanted);
    assert_int_equal(serve_host_give(root, &u, err), MD_OK); /* nobody: nothing to do */
    assert_int_equal(serve_host_become(&u, err), MD_OK);
    if (geteuid() != 0)
        return;
    assert_int_equal(serve_host_user("no-such-user-here", &u, err), MD_NOENT);
    assert_non_null(strstr(err, "no-such-user-here"));
    assert_int_equal(serve_host_user("nobody", &u, err), MD_OK);
    assert_true(u.wanted);
}

/* A folder that others may enter is not ours to give away. */
static void only_a_private_folder_is_given(void **state)
{
    (void)state;
    struct serve_user u;
    struct stat st;
    if (geteuid() != 0)
        skip();
    assert_int_equal(serve_host_user("nobody", &u, err), MD_OK);
    assert_int_equal(file_make_dirs(under("gift/inner")), MD_OK);
    put_text("gift/inner/file", "x");
    assert_int_equal(chmod(under("gift"), 0755), 0);
    assert_int_equal(serve_host_give(under("gift"), &u, err), MD_OK);
    assert_int_equal(stat(under("gift/inner/file"), &st), 0);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(chmod(under("gift"), 0700), 0);
    assert_int_equal(serve_host_give(under("gift"), &u, err), MD_OK);
    assert_int_equal(stat(under("gift/inner/file"), &st), 0);
    assert_int_equal(st.st_uid, u.uid);
    assert_int_equal(stat(under("gift"), &st), 0);
    assert_int_equal(st.st_uid, u.uid);
    assert_int_equal(unlink(under("gift/inner/file")), 0);
    assert_int_equal(rmdir(under("gift/inner")), 0);
    assert_int_equal(rmdir(under("gift")), 0);
}

static void connection_messages_can_be_left_out(void **state)
{
    (void)state;
    struct fake_env f;
    fake_env_init(&f);
    struct logsink s = {.env = &f.env, .dests = CONFIG_TO_STDERR, .types = CONFIG_LOG_ALL};
    expect_log(s, LOG_INFO, "client", NULL);
    expect_log(s, LOG_WARN, "client", "words");
    expect_log(s, LOG_INFO, "net", "words");
}

static void only_what_is_wanted_is_formatted(void **state)
{
    (void)state;
    struct logsink s = {.types = CONFIG_LOG_ERROR | CONFIG_LOG_WARNING};
    logsink_start(&s);
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    s.types = CONFIG_LOG_ALL;
    logsink_start(&s);
    assert_true(log_wants(LOG_DEBUG));
    logsink_stop(&s);
    assert_false(log_wants(LOG_DEBUG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_option_comes_first),
        cmocka_unit_test(the_option_may_bring_its_rule_along),
        cmocka_unit_test(the_environment_comes_second_and_may_be_nonsense),
        cmocka_unit_test(openwrt_has_a_rule_in_etc),
        cmocka_unit_test(debian_has_a_link_and_a_name),
        cmocka_unit_test(zones_are_the_same_when_plugs_would_see_no_difference),
        cmocka_unit_test(names_are_kept_once_and_have_an_end),
        cmocka_unit_test(this_computer_is_at_least_localhost),
        cmocka_unit_test(temporary_addresses_are_recognised),
        cmocka_unit_test(the_folder_is_made_private_and_locked_once),
        cmocka_unit_test(a_folder_that_cannot_be_is_named),
        cmocka_unit_test(an_existing_folder_keeps_its_mode),
        cmocka_unit_test(the_pid_file_holds_the_pid),
        cmocka_unit_test(taken_ports_are_noticed),
        cmocka_unit_test(the_parent_leaves_when_the_broker_serves),
        cmocka_unit_test(lines_have_time_and_level_and_obey_log_type),
        cmocka_unit_test(lines_go_where_log_dest_says),
        cmocka_unit_test(topics_get_a_hundred_lines_a_second),
        cmocka_unit_test(the_time_is_written_as_asked),
        cmocka_unit_test(the_journal_gets_levels_and_no_time),
        cmocka_unit_test(a_log_file_is_appended_to_and_opened_again),
        cmocka_unit_test(only_root_becomes_somebody),
        cmocka_unit_test(only_a_private_folder_is_given),
        cmocka_unit_test(connection_messages_can_be_left_out),
        cmocka_unit_test(only_what_is_wanted_is_formatted),
        LAST_TEST(remove_root),
    };
    return cmocka_run_group_tests(tests, make_root, NULL);
}
