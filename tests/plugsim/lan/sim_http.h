/* sim_http.h - one connection to the HTTP server of a simulated plug: POST /config.
 *
 * Bytes in, bytes out, no socket.  It has the habits of real ones: header lines that end in LF
 * only, replies that are cut off, connections that are reset or closed without a word.
 *
 *     while there are bytes: sim_http_feed();  sim_http_tick() at the time it told;
 *     write sim_http_output();  then close, or reset when sim_http_reset() says so. */
#ifndef TESTS_PLUGSIM_LAN_SIM_HTTP_H
#define TESTS_PLUGSIM_LAN_SIM_HTTP_H

#include "broker/base/buf.h"
#include "tests/plugsim/simplug.h"

struct sim_http {
    struct simplug *plug; /* lent */
    struct buf in, out, json;
    uint64_t due; /* when the answer goes out; SIMPLUG_NEVER: no request yet */
    bool sealed;  /* the request was, so the answer is            */
    bool mute, reset, answered;
};

/* Does the plug listen on port 80 now?  Not while it changes networks. */
bool sim_http_open(const struct simplug *p);

void sim_http_init(struct sim_http *h, struct simplug *plug); /* plug kept */
void sim_http_free(struct sim_http *h);
void sim_http_feed(struct sim_http *h, struct span bytes, uint64_t now);
uint64_t sim_http_tick(struct sim_http *h, uint64_t now);
struct span sim_http_output(const struct sim_http *h); /* lent until the next call */
void sim_http_sent(struct sim_http *h, size_t n);
bool sim_http_over(const struct sim_http *h);  /* all said: the plug closes      */
bool sim_http_reset(const struct sim_http *h); /* it closes with RST, at once    */

#endif
