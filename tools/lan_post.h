/* lan_post.h - one HTTP exchange with a plug over a connection of its own: the socket under
 * pairing/talk.h. */
#ifndef TOOLS_LAN_POST_H
#define TOOLS_LAN_POST_H

#include "tools/pairing/talk.h"

#define LAN_POST_CONNECT_MS 3000

struct lan_post {
    const struct env *env;
    const char *host;
    unsigned port;
    bool (*stopped)(void *ctx); /* asked four times a second while it waits; NULL: never */
    void *ctx;
};

/* As talk_post_cb; post is a struct lan_post. */
enum talk_net lan_post(void *post, struct span request, unsigned timeout_ms,
                       struct http_reader *in);

#endif
