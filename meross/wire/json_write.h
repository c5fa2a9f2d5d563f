/* json_write.h - writing JSON into a buf, compact, with a sticky error.
 *
 *     struct json_writer w;
 *     json_write_start(&w, &buf);
 *     json_write_open(&w, '{');
 *     json_write_name(&w, "channel");  json_write_int(&w, 0);
 *     json_write_close(&w, '}');
 *     return w.err;
 *
 * Commas are put where they belong.  Whatever bytes a string holds, the result is valid UTF-8
 * and valid JSON. */
#ifndef MEROSS_JSON_WRITE_H
#define MEROSS_JSON_WRITE_H

#include "broker/base/buf.h"

#define JSON_WRITE_DECIMALS_MAX 18

struct json_writer {
    struct buf *out;
    int err;    /* MD_OK, or the first error of the buf: MD_NOMEM, MD_TOOBIG */
    bool comma; /* a value ended here */
};

void json_write_start(struct json_writer *w, struct buf *out); /* out kept */

void json_write_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_write_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_write_name(struct json_writer *w, const char *name);

void json_write_str(struct json_writer *w, const char *s);
void json_write_span(struct json_writer *w, struct span s); /* as a string */
void json_write_int(struct json_writer *w, int64_t value);
/* 12345 with 3 decimals is 12.345; at most JSON_WRITE_DECIMALS_MAX. */
void json_write_scaled(struct json_writer *w, int64_t value, unsigned decimals);
void json_write_bool(struct json_writer *w, bool value);
void json_write_raw(struct json_writer *w, struct span json); /* is JSON already */

/* A name and its value in one. */
void json_write_pair(struct json_writer *w, const char *name, const char *value);
void json_write_pair_int(struct json_writer *w, const char *name, int64_t value);
void json_write_pair_bool(struct json_writer *w, const char *name, bool value);

#endif
