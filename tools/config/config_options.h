/* config_options.h - the table of options: a new setting is one row here and nowhere else.
 * The reader, the messages about bad values and `merossd help config` are made from it. */
#ifndef TOOLS_CONFIG_OPTIONS_H
#define TOOLS_CONFIG_OPTIONS_H

#include "broker/base/span.h"

#include <stdint.h>
#include <stdio.h>

enum config_type {
    CONFIG_BOOL,         /* bool                                                  */
    CONFIG_NUMBER,       /* unsigned, min to max                                  */
    CONFIG_BYTES,        /* size_t, min to max                                    */
    CONFIG_TEXT,         /* char *, 1 to max bytes                                */
    CONFIG_TEXTS,        /* char **, NULL-terminated, at most CONFIG_MAX_KEYS     */
    CONFIG_TOPIC,        /* char *, the first levels of a Topic Name              */
    CONFIG_WORD,         /* unsigned, one of the words                            */
    CONFIG_SWITCH,       /* bool, true by the only word                           */
    CONFIG_WORDS,        /* unsigned, words of several lines or'ed                */
    CONFIG_DURATION,     /* unsigned, seconds: a number and h, d, w, m or y       */
    CONFIG_SYNC,         /* unsigned, one of the words or min to max seconds      */
    CONFIG_LOG_DEST,     /* where the log goes, see enum config_log_dest          */
    CONFIG_INCLUDE,      /* a folder, read in place of the line                   */
    CONFIG_ADDRESSES,    /* struct config_addresses                               */
    CONFIG_BRIDGE_TOPIC, /* struct config_topics, one more                        */
    CONFIG_RESTART,      /* struct config_restart                                 */
    CONFIG_BRIDGE,       /* NAME; opens a bridge                                  */
    CONFIG_PLACES,       /* struct config_addresses, one PORT [ADDR] more         */
    CONFIG_LISTENER      /* PORT [ADDR]; opens a listener                         */
};

enum config_scope {
    CONFIG_GLOBAL,      /* a member of struct config, wherever it stands            */
    CONFIG_OF_LISTENER, /* a member of the struct config_listener above it          */
    CONFIG_OF_ACCESS,   /* a member of struct config_access: with per_listener_settings that
                           of the listener above it, otherwise the one for all listeners  */
    CONFIG_OF_BRIDGE,   /* a member of the struct config_bridge above it            */
    CONFIG_OF_DEFAULT   /* a member of the default listener, wherever it stands     */
};

struct config_word {
    const char *word;
    unsigned value;
};

struct config_option {
    const char *name;
    enum config_type type;
    enum config_scope scope;
    size_t offset; /* of the member                                                   */
    uint64_t min, max;
    bool zero_is_off; /* 0 means "no limit", also below min                              */
    bool minus_one;   /* -1 is another way to write 0                                    */
    bool secret;      /* the value never appears in a message                            */
    const char *unit, *value_default; /* value_default NULL: not set                     */
    const struct config_word *words;  /* ends with word NULL                             */
    const char *help;
};

const struct config_option *config_option_at(size_t i); /* NULL after the last; lent, static */
const struct config_option *config_option_find(struct span name); /* NULL: no such option    */

/* How many values one that takes several can have. */
unsigned config_option_most(const struct config_option *o);

/* "a number from 20 to 100, or 0 for no limit" */
void config_option_allowed(const struct config_option *o, char *out, size_t cap);

void config_options_example(FILE *out); /* the whole table as an annotated example file */
void config_options_table(FILE *out);   /* and as the table of the README */

#endif
