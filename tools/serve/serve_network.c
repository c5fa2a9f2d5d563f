#include "tools/serve/serve_network.h"

#include "broker/base/mem.h"
#include "meross/wire/topics.h"
#include "tools/serve/serve_answer.h"
#include "tools/serve/serve_int.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

struct serve_network {
    const struct serve *s;
    struct broker_sub *sub;
    uint64_t since_ms; /* monotonic */
    char *config;      /* its whole path; NULL: none */
    char reply[TOPICS_MAX];
};

static void write_outgoing(struct json_writer *w, const struct server_outgoings *o,
                           const struct env *env)
{
    static const char *const reach[] = {"loopback", "local", "public"};
    json_write_name(w, "outgoing");
    json_write_open(w, '[');
    for (size_t i = 0; i < o->n; i++) {
        const struct server_outgoing *it = &o->v[i];
        json_write_open(w, '{');
        json_write_pair(w, "address", it->address);
        json_write_pair_int(w, "port", it->port);
        json_write_pair(w, "why", it->why);
        json_write_pair(w, "reach", reach[it->reach]);
        json_write_pair_int(w, "attempts", (int64_t)it->attempts);
        json_write_pair_int(w, "first", env_wall_of(env, it->first_ms));
        json_write_pair_int(w, "last", env_wall_of(env, it->last_ms));
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
    json_write_pair_int(w, "outgoing_more", o->more);
    json_write_pair_int(w, "lookups", o->lookups);
}

static void write_listeners(struct json_writer *w, const struct serve *s)
{
    json_write_name(w, "listeners");
    json_write_open(w, '[');
    for (size_t i = 0; i < s->cfg.n_listeners; i++) {
        const struct config_listener *l = &s->cfg.listeners[i];
        const char *path = config_unix_path(l);
        json_write_open(w, '{');
        if (path != NULL)
            json_write_pair(w, "path", path);
        else if (l->host != NULL)
            json_write_pair(w, "address", l->host);
        if (path == NULL)
            json_write_pair_int(
                w, "port", s->open[i] ? server_port(s->server, (unsigned)i + 1) : (int)l->port);
        json_write_pair_bool(w, "tls", config_has_tls(l));
        json_write_pair_bool(w, "websockets", l->protocol == CONFIG_WEBSOCKETS);
        json_write_pair_bool(w, "open", s->open[i]);
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

static int64_t open_files(void)
{
    int64_t n = -1; /* the folder itself is open, too */
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return -1;
    for (struct dirent *d; (d = readdir(dir)) != NULL;)
        n += d->d_name[0] != '.';
    (void)closedir(dir);
    return n;
}

static void write_limits(struct json_writer *w, const struct serve *s)
{
    struct rlimit files = {0};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    json_write_pair_int(w, "open_files", open_files());
    json_write_pair_int(w, "max_files", (int64_t)files.rlim_cur);
    json_write_pair_int(w, "memory", (int64_t)mem_used());
    json_write_pair_int(w, "memory_limit", (int64_t)s->cfg.limits.memory_limit);
}

static void on_request(void *ctx, const struct broker_message *m)
{
    struct serve_network *n = ctx;
    const struct serve *s = n->s;
    const struct env *env = server_env(s->server);
    struct server_outgoings outgoing = server_outgoing(s->server);
    struct json_writer w;
    struct buf b;
    serve_answer_start(&w, &b, m->payload);
    json_write_open(&w, '{');
    json_write_pair_int(&w, "pid", getpid());
    json_write_pair_int(&w, "uid", getuid());
    json_write_pair_int(&w, "since", env_wall_of(env, n->since_ms));
    json_write_pair(&w, "version", MD_VERSION);
    if (n->config != NULL)
        json_write_pair(&w, "config", n->config);
    json_write_pair(&w, "state_dir", s->dir);
    json_write_pair(&w, "zone", s->zone->what);
    write_listeners(&w, s);
    write_outgoing(&w, &outgoing, env);
    write_limits(&w, s);
    json_write_close(&w, '}');
    serve_answer_end(&w, s->broker, n->reply, "what is known of the network");
}

static char *whole_path(const char *file)
{
    char path[PATH_MAX];
    return file != NULL && realpath(file, path) != NULL ? mem_strdup(path) : NULL;
}

int serve_network_new(struct serve_network **out, const struct serve *s)
{
    struct topics t;
    char ask[TOPICS_MAX];
    const char *base = s->cfg.meross_topic;
    int err = topics_init(&t, base != NULL ? base : TOPICS_BASE_DEFAULT);
    struct serve_network *n = err == MD_OK ? mem_alloc(sizeof *n) : NULL;
    if (n == NULL)
        return err == MD_OK ? MD_NOMEM : err;
    n->s = s;
    n->since_ms = env_mono_ms(server_env(s->server));
    n->config = whole_path(s->config_file);
    topics_of_broker(&t, ask, TOPICS_REQUEST "/network");
    topics_answer(&t, n->reply, span_str("network"));
    err = broker_subscribe(s->broker, span_str(ask), on_request, n, &n->sub);
    if (err != MD_OK) {
        mem_free(n->config);
        mem_free(n);
        return err;
    }
    *out = n;
    return MD_OK;
}

void serve_network_free(struct serve_network *n)
{
    if (n == NULL)
        return;
    broker_unsubscribe(n->sub);
    mem_free(n->config);
    mem_free(n);
}
