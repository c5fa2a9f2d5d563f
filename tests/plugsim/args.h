/* args.h - plugsim's command line. */
#ifndef TESTS_PLUGSIM_ARGS_H
#define TESTS_PLUGSIM_ARGS_H

#include "broker/base/err.h"
#include "tests/plugsim/simplug_options.h"

#define ARGS_MAX_OPTIONS 32

enum args_until { ARGS_UNTIL_QUIT, ARGS_UNTIL_BOUND, ARGS_UNTIL_TIME };

struct args {
    const char *host, *types, *key, *cipher; /* lent by argv; cipher may be NULL */
    const char *option[ARGS_MAX_OPTIONS];    /* "name=value" or "index:name=value" */
    size_t n_options;
    unsigned port, count;
    bool plain, json, quiet, help, demo, ap;
    bool http; /* each plug has an HTTP server */
    const char *http_host;
    unsigned http_port; /* of the first plug; 0: free ones */
    enum args_until until;
    unsigned until_s;   /* with ARGS_UNTIL_TIME           */
    unsigned timeout_s; /* how long to wait for the bound */
};

/* argv  kept as long as the args.  Errors: MD_INVAL, after a line on standard error. */
MD_MUST_USE int args_read(struct args *a, int argc, char **argv);
void args_usage(void); /* to standard output */

/* What plug number `index` shall be.  Errors: MD_INVAL, after a line on standard error. */
MD_MUST_USE int args_plug(const struct args *a, unsigned index, struct simplug_options *o);

#endif
