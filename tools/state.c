/* state.c - where the state lives.
 *
 * Flash wears out, so what must survive only the death of the process (every acknowledged message,
 * for two seconds) goes to a journal in memory; the state directory gets what is left of it. */
#include "broker/base/log.h"
#include "tools/config.h"
#include "tools/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A place in memory of our own, named after the state directory because there may be several
 * brokers; false: there is none, and the state directory has to do. */
static bool place_in_memory(const char *state_dir, char out[512])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *base = geteuid() == 0 ? "/run" : runtime;
    uint32_t hash = 2166136261u; /* FNV-1a */
    if (base == NULL || base[0] != '/')
        return false;
    (void)snprintf(out, 512, "%.400s/merossd", base);
    if (mkdir(out, 0700) != 0 && access(out, W_OK) != 0)
        return false;
    for (const char *p = state_dir; *p != '\0'; p++)
        hash = (hash ^ (uint8_t)*p) * 16777619u;
    (void)snprintf(out, 512, "%.400s/merossd/%08x", base, (unsigned)hash);
    return true;
}

#define PERIOD_S 2 /* between two flushes that nobody waits for */

/* persistence_sync: when what is new reaches the medium. */
static void set_sync(struct store_file_config *out, unsigned option)
{
    out->period_s = PERIOD_S;
    out->sync = STORE_SYNC_PERIOD;
    if (option == CONFIG_SYNC_ALWAYS)
        out->sync = STORE_SYNC_ALWAYS;
    else if (option == CONFIG_SYNC_OFF)
        out->sync = STORE_SYNC_OFF;
    else
        out->period_s = option;
}

int state_open(struct store **out, const char *dir, unsigned sync, char err[SERVE_HOST_ERR_MAX])
{
    char note[256] = "", memory[512];
    struct store_file_config cfg = {.dir = dir};
    set_sync(&cfg, sync);
    if (place_in_memory(dir, memory))
        cfg.journal_dir = memory;
    int rc = store_file_open(out, &cfg, note);
    if (rc == MD_OK && note[0] != '\0')
        log_warn("store", "%s", note);
    else if (rc != MD_OK)
        (void)snprintf(err, SERVE_HOST_ERR_MAX, "%s",
                       note[0] != '\0' ? note : "cannot open the store: out of memory");
    return rc;
}
