/* log.h - one line per event: LEVEL module key=value ... message.
 *
 * Peer-supplied bytes go through log_q(), which quotes and escapes them and
 * cuts them at 64 bytes; secrets (password, key, sign) are never arguments.
 * Loop thread only: work in the thread pool hands its text back instead. */
#ifndef BROKER_BASE_LOG_H
#define BROKER_BASE_LOG_H

#include "broker/base/span.h"

enum log_level {
    LOG_ERROR, /* the operator must act              */
    LOG_WARN,  /* somebody lost something            */
    LOG_INFO,  /* connect, disconnect, bind, command */
    LOG_DEBUG  /* per packet; -v                     */
};

typedef void (*log_sink_cb)(void *ctx, enum log_level lv, const char *module, const char *line);

void log_set_sink(log_sink_cb sink, void *ctx); /* NULL: stderr, the default; ctx kept */
void log_set_level(enum log_level lv);          /* default LOG_INFO                    */
bool log_wants(enum log_level lv);              /* false: formatting would be wasted   */

void log_at(enum log_level lv, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

const char *log_q(struct span s); /* lent, one of 8 rotating static slots */

const char *log_level_name(enum log_level lv); /* "ERROR"; lent, static */

/* The level is tested before the arguments are evaluated. */
#define LOG_IF(lv, module, ...) (log_wants(lv) ? log_at(lv, module, __VA_ARGS__) : (void)0)
#define log_error(module, ...)  LOG_IF(LOG_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...)   LOG_IF(LOG_WARN, module, __VA_ARGS__)
#define log_info(module, ...)   LOG_IF(LOG_INFO, module, __VA_ARGS__)
#define log_debug(module, ...)  LOG_IF(LOG_DEBUG, module, __VA_ARGS__)

#endif
