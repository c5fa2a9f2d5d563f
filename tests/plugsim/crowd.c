#include "tests/plugsim/crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "broker/base/mem.h"
#include "tests/plugsim/simplug.h"
#include "tests/plugsim/web.h"

#define POLL_MS  500 /* the longest sleep */
#define MAX_LINE 128

struct member {
    struct crowd *crowd;
    struct simplug *plug;
    struct link *link; /* NULL: none */
    bool up;           /* the handshake is over */
    uint64_t due;
    struct web web;
    struct link_way *way; /* after a Config.Key; owned; NULL: the crowd's */
    char host[64];        /* of that way */
    unsigned port;
};

struct crowd {
    const struct args *args;
    const struct link_way *way;
    struct member *member;
    struct pollfd *poll; /* `fds` per member, then standard input */
    size_t fds;          /* its connection, and its HTTP server's if it has one */
    bool quit, deaf;     /* deaf: standard input has ended */
    char line[MAX_LINE];
    size_t line_n;
};

static int64_t clock_ms(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t mono_ms(void) { return (uint64_t)clock_ms(CLOCK_MONOTONIC); }

static void put_json_text(const char *s)
{
    for (; *s != '\0'; s++) {
        if (*s == '"' || *s == '\\')
            (void)printf("\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            (void)printf("\\u%04x", (unsigned)*s);
        else
            (void)putchar(*s);
    }
}

static void say(const struct member *m, const char *what, const char *detail)
{
    const struct crowd *c = m->crowd;
    unsigned index = (unsigned)(m - c->member);
    if (c->args->quiet && strcmp(what, "violation") != 0)
        return;
    if (c->args->json) {
        (void)printf("{\"plug\":%u,\"event\":\"%s\",\"detail\":\"", index, what);
        put_json_text(detail);
        (void)printf("\"}\n");
    } else {
        (void)printf("plug %u %s%s%s\n", index, what, detail[0] != '\0' ? " " : "", detail);
    }
    (void)fflush(stdout);
}

static void on_event(void *ctx, const char *what, const char *detail) { say(ctx, what, detail); }

/* Opens its HTTP server, if it shall have one. */
static int serve(struct member *m)
{
    const struct args *a = m->crowd->args;
    char text[16];
    if (!a->http)
        return MD_OK;
    unsigned index = (unsigned)(m - m->crowd->member);
    int err = web_open(&m->web, a->http_host, a->http_port == 0 ? 0 : a->http_port + index);
    if (err != MD_OK) {
        (void)fprintf(stderr, "plugsim: cannot listen on %s port %u for plug %u\n", a->http_host,
                      a->http_port + index, index);
        return err;
    }
    (void)snprintf(text, sizeof text, "%u", m->web.port);
    say(m, "http", text);
    return MD_OK;
}

int crowd_new(const struct args *args, const struct link_way *way, struct crowd **out)
{
    struct crowd *c = mem_need(sizeof *c, "the simulated plugs");
    uint64_t now = mono_ms();
    c->args = args;
    c->way = way;
    c->fds = args->http ? 1 + WEB_FDS : 1;
    c->member = mem_need(args->count * sizeof *c->member, "the simulated plugs");
    c->poll = mem_need((args->count * c->fds + 1) * sizeof *c->poll, "the simulated plugs");
    for (unsigned i = 0; i < args->count; i++) {
        struct member *m = &c->member[i];
        struct simplug_options o;
        int err = args_plug(args, i, &o);
        m->crowd = c;
        web_init(&m->web, NULL);
        if (err == MD_OK) {
            /* Two runs shall not say the same messageIds to one broker. */
            o.seed ^= (uint64_t)clock_ms(CLOCK_REALTIME) << 24;
            o.wall_offset_ms = clock_ms(CLOCK_REALTIME) - (int64_t)now;
            err = simplug_new(&o, now, &m->plug);
            web_init(&m->web, m->plug);
        }
        if (err != MD_OK) {
            crowd_free(c);
            return err;
        }
        simplug_watch(m->plug, on_event, m);
        err = serve(m);
        if (err != MD_OK) {
            crowd_free(c);
            return err;
        }
    }
    *out = c;
    return MD_OK;
}

void crowd_free(struct crowd *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->args->count; i++) {
        if (c->member[i].plug == NULL)
            continue; /* it came to no more */
        web_close(&c->member[i].web);
        link_close(c->member[i].link);
        link_way_free(c->member[i].way);
        simplug_free(c->member[i].plug);
    }
    mem_free(c->member);
    mem_free(c->poll);
    mem_free(c);
}

static void drop(struct member *m, uint64_t now)
{
    link_close(m->link);
    m->link = NULL;
    if (m->up)
        simplug_closed(m->plug, now);
    else
        simplug_connect_failed(m->plug, now);
    m->up = false;
}

static void go_on_connecting(struct member *m, uint64_t now)
{
    int err = link_handshake(m->link);
    if (err == MD_AGAIN)
        return;
    if (err != MD_OK) {
        say(m, "unreachable", err == MD_TLS ? "TLS handshake failed" : "no connection");
        drop(m, now);
        return;
    }
    m->up = true;
    simplug_connected(m->plug, now);
}

static int receive(struct member *m, uint64_t now)
{
    uint8_t bytes[4096];
    size_t n = 0;
    int err;
    while ((err = link_read(m->link, bytes, sizeof bytes, &n)) == MD_OK)
        simplug_feed(m->plug, span_of(bytes, n), now);
    return err == MD_AGAIN ? MD_OK : err;
}

static int transmit(struct member *m)
{
    struct span out;
    size_t n = 0;
    while ((out = simplug_output(m->plug)).n > 0) {
        int err = link_write(m->link, out, &n);
        if (err == MD_AGAIN)
            return MD_OK;
        if (err != MD_OK)
            return err;
        simplug_sent(m->plug, n);
    }
    return MD_OK;
}

static void exchange(struct member *m, uint64_t now)
{
    int err = receive(m, now);
    m->due = simplug_tick(m->plug, now);
    if (err == MD_OK)
        err = transmit(m);
    if (err != MD_OK || simplug_wants_close(m->plug))
        drop(m, now);
}

/* The way to the broker that the plug was told of; NULL when there is none. */
static const struct link_way *way_of(struct member *m)
{
    const char *host;
    unsigned port;
    const struct args *a = m->crowd->args;
    if (!simplug_destination(m->plug, &host, &port))
        return m->crowd->way;
    if (m->way != NULL && strcmp(host, m->host) == 0 && port == m->port)
        return m->way;
    link_way_free(m->way);
    m->way = NULL;
    (void)snprintf(m->host, sizeof m->host, "%s", host);
    m->port = port;
    return link_way_new(host, port, a->plain, a->cipher, &m->way) == MD_OK ? m->way : NULL;
}

static void step(struct member *m, uint64_t now)
{
    web_step(&m->web, now);
    if (m->link == NULL) {
        m->due = simplug_tick(m->plug, now);
        if (!simplug_wants_connect(m->plug, now))
            return;
        const struct link_way *way = way_of(m);
        if (way == NULL || link_open(way, &m->link) != MD_OK) {
            simplug_connect_failed(m->plug, now);
            return;
        }
    }
    if (!m->up)
        go_on_connecting(m, now);
    if (m->up)
        exchange(m, now);
    if (m->link == NULL)
        m->due = simplug_tick(m->plug, now);
}

static void tell_status(const struct member *m)
{
    const struct simplug_status *s = simplug_status(m->plug);
    char text[160];
    (void)snprintf(text, sizeof text,
                   "led=%s bound=%d clock=%d zone=%d relay=%s sessions=%u binds=%u requests=%u "
                   "violations=%u",
                   simplug_led_name(s->led), s->bound, s->clock, s->zone,
                   s->relay[0] ? "on" : "off", s->sessions, s->binds, s->requests,
                   (unsigned)simplug_violations(m->plug));
    say(m, "status", text);
}

/* "sense 0 Appliance.GarageDoor.State {...}", "alarm 0 Appliance.Control.OverTemp {...}" */
static bool happen(struct member *m, const char *line, uint64_t now)
{
    char verb[16] = "", ns[64] = "";
    int json = 0;
    if (sscanf(line, "%15s %*u %63s %n", verb, ns, &json) < 2 || line[json] != '{')
        return false;
    if (strcmp(verb, "alarm") == 0)
        simplug_alarm(m->plug, ns, line + json, now);
    else
        return strcmp(verb, "sense") == 0 && simplug_sense(m->plug, ns, line + json, now) == MD_OK;
    return true;
}

static bool load(struct member *m, const char *line, uint64_t now)
{
    unsigned channel;
    long long mw;
    if (sscanf(line, "load %*u %u %lld", &channel, &mw) < 2)
        return false;
    simplug_set_load(m->plug, channel, mw, now);
    return true;
}

static bool obey_one(struct member *m, const char *verb, unsigned channel, uint64_t now)
{
    if (strcmp(verb, "button") == 0)
        simplug_button(m->plug, channel, now);
    else if (strcmp(verb, "die") == 0)
        simplug_die(m->plug);
    else if (strcmp(verb, "power") == 0)
        simplug_power_cycle(m->plug, now);
    else
        return false;
    return true;
}

static void obey(struct crowd *c, const char *line, uint64_t now)
{
    char verb[16] = "";
    unsigned index = 0, channel = 0;
    int n = sscanf(line, "%15s %u %u", verb, &index, &channel);
    if (strcmp(verb, "quit") == 0) {
        c->quit = true;
    } else if (strcmp(verb, "status") == 0) {
        for (unsigned i = 0; i < c->args->count; i++)
            tell_status(&c->member[i]);
    } else if (n < 2 || index >= c->args->count ||
               (!obey_one(&c->member[index], verb, channel, now) &&
                !happen(&c->member[index], line, now) && !load(&c->member[index], line, now))) {
        (void)printf("error what is \"%s\"?\n", line);
        (void)fflush(stdout);
    }
}

static void take_byte(struct crowd *c, char byte, uint64_t now)
{
    if (byte != '\n') {
        if (c->line_n + 1 < sizeof c->line)
            c->line[c->line_n++] = byte;
        return;
    }
    c->line[c->line_n] = '\0';
    c->line_n = 0;
    if (c->line[0] != '\0')
        obey(c, c->line, now);
}

static void listen_to_stdin(struct crowd *c, uint64_t now)
{
    char bytes[256];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        c->deaf = true;
    for (ssize_t i = 0; i < n; i++)
        take_byte(c, bytes[i], now);
}

/* Sleeps until a socket, standard input or a plug's own time wants something. */
static void wait_for_work(struct crowd *c, uint64_t now)
{
    uint64_t wait = POLL_MS;
    for (unsigned i = 0; i < c->args->count; i++) {
        const struct member *m = &c->member[i];
        bool out = m->link != NULL &&
                   (link_wants_write(m->link) || (m->up && simplug_output(m->plug).n > 0));
        struct pollfd *fds = &c->poll[i * c->fds];
        uint64_t web = c->args->http ? web_poll(&m->web, fds + 1) : SIMPLUG_NEVER;
        if (web < now + wait)
            wait = web > now ? web - now : 0;
        fds[0] = (struct pollfd){.fd = m->link != NULL ? link_fd(m->link) : -1,
                                 .events = (short)(out ? POLLIN | POLLOUT : POLLIN)};
        bool waits = m->link != NULL && !m->up; /* for the network, not for the plug */
        if (!waits && m->due < now + wait)
            wait = m->due > now ? m->due - now : 0;
    }
    struct pollfd *input = &c->poll[c->args->count * c->fds];
    *input = (struct pollfd){.fd = c->deaf ? -1 : STDIN_FILENO, .events = POLLIN};
    if (poll(c->poll, c->args->count * c->fds + 1, (int)wait) < 0)
        return;
    if (input->revents != 0)
        listen_to_stdin(c, mono_ms());
}

static bool all_bound(const struct crowd *c)
{
    for (unsigned i = 0; i < c->args->count; i++) {
        if (!simplug_status(c->member[i].plug)->bound)
            return false;
    }
    return true;
}

static size_t violations(const struct crowd *c)
{
    size_t n = 0;
    for (unsigned i = 0; i < c->args->count; i++)
        n += simplug_violations(c->member[i].plug);
    return n;
}

/* Is it over?  *status is the exit status then. */
static bool over(const struct crowd *c, uint64_t ran_ms, int *status)
{
    const struct args *a = c->args;
    *status = violations(c) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (c->quit)
        return true;
    if (a->until == ARGS_UNTIL_TIME)
        return ran_ms >= (uint64_t)a->until_s * 1000;
    if (a->until != ARGS_UNTIL_BOUND)
        return false;
    if (all_bound(c))
        return true;
    bool late = ran_ms >= (uint64_t)a->timeout_s * 1000;
    if (late)
        *status = EXIT_FAILURE;
    return late;
}

/* The truth that the plugs measure the broker by follows the host's clock when that is stepped. */
static void set_walls(struct crowd *c)
{
    int64_t offset_ms = clock_ms(CLOCK_REALTIME) - (int64_t)mono_ms();
    for (unsigned i = 0; i < c->args->count; i++)
        simplug_set_wall(c->member[i].plug, offset_ms);
}

int crowd_run(struct crowd *c)
{
    uint64_t start = mono_ms(), now = start;
    int status = EXIT_SUCCESS;
    while (!over(c, now - start, &status)) {
        for (unsigned i = 0; i < c->args->count; i++)
            step(&c->member[i], mono_ms());
        set_walls(c);
        if (!over(c, mono_ms() - start, &status))
            wait_for_work(c, mono_ms());
        now = mono_ms();
    }
    return status;
}
