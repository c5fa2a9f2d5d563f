/* pair_world.h - the world around the pairing machine (pairing/pair.h): sockets, the broker, and
 * the terminal; what `merossd pair` and `merossd adopt` share. */
#ifndef TOOLS_PAIR_WORLD_H
#define TOOLS_PAIR_WORLD_H

#include "tools/cli.h"
#include "tools/hostzone.h"
#include "tools/interrupt.h"
#include "tools/lan_post.h"
#include "tools/pairing/pair.h"
#include "tools/prompt.h"

#define PAIR_TIMEOUT_S 90

struct pair_world {
    struct cli *c;
    struct pair pair;
    struct pair_io io;
    struct lan_post post;
    struct interrupt held;
    struct prompt prompt;
    struct zone zone;
    FILE *human; /* where the steps are told: not where JSON goes */
    char target[HTTP_HOST_MAX + 1], plug_host[HTTP_HOST_MAX + 1], dialled[HTTP_HOST_MAX + 8];
    bool rename; /* at the end: the broker knows the plug under another name */
    bool coloured;
    uint64_t start_ms;
};

/* Checks the target options, connects to the broker, and finds out where a plug will find it.
 *
 * plug_at  "10.10.10.1" or with ":port"; kept.
 * w        zeroed; pair_world_close() also after a failure.
 * Returns CLI_DONE; otherwise the exit status, said on cli->err. */
MD_MUST_USE int pair_world_open(struct pair_world *w, struct cli *c, const char *plug_at);
void pair_world_close(struct pair_world *w);

/* Tells how it ended; the exit status. */
int pair_world_result(struct pair_world *w);

/* NULL: plugs are answered at host:port; otherwise a sentence in `why`. */
const char *pair_world_probe(const struct env *env, const char *host, unsigned port, char *why,
                             size_t cap);

/* The first line of a file, any bytes but NUL and line ends.  False: why, for people. */
bool pair_world_first_line(const char *path, char *out, size_t cap, char *why, size_t why_cap);

#endif
