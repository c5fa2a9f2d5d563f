/* state.c - where the state lives.
 *
 * Flash wears out, so what must survive only the death of the process (every acknowledged message,
 * for two seconds) goes to a journal in memory; the state directory gets what is left of it. */
#include "broker/base/log.h"
#include "tools/config/config.h"
#include "tools/file.h"
#include "tools/serve/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_BYTES   16u
#define BASE_BYTES 448u /* longer than any journal_dir */

/* The directory's own random name: what a journal in memory belongs to must not be told by the path
 * alone, or a directory that was deleted would come back from there.  False: it has none, and takes
 * none now. */
static bool identify(const char *dir, char id[2 * ID_BYTES + 1])
{
    char path[640];
    uint8_t random[ID_BYTES];
    (void)snprintf(path, sizeof path, "%.500s/id", dir);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, id, 2 * (size_t)ID_BYTES);
    if (fd >= 0)
        (void)close(fd);
    id[2 * ID_BYTES] = '\0';
    if (n == 2 * (ssize_t)ID_BYTES && strspn(id, "0123456789abcdef") == 2 * (size_t)ID_BYTES)
        return true;
    if (getentropy(random, sizeof random) != 0)
        return false;
    for (size_t i = 0; i < ID_BYTES; i++)
        (void)snprintf(id + 2 * i, 3, "%02x", random[i]);
    return file_replace(path, span_str(id)) == MD_OK;
}

/* Where journals are, by `journal_dir` or by custom; false: nowhere. */
static bool find_base(const char *journal_dir, char out[BASE_BYTES])
{
    const char *base = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
    if (journal_dir != NULL)
        (void)snprintf(out, BASE_BYTES, "%s", journal_dir);
    else if (config_service_dir("RUNTIME_DIRECTORY", out, BASE_BYTES))
        return true;
    else if (base != NULL && base[0] == '/')
        (void)snprintf(out, BASE_BYTES, "%.400s/merossd", base);
    return journal_dir != NULL || (base != NULL && base[0] == '/');
}

/* A place in memory of our own, one for each state directory; false: there is none, and the state
 * directory has to do. */
static bool place_in_memory(const char *state_dir, const char *journal_dir, char out[512])
{
    char id[2 * ID_BYTES + 1], base[BASE_BYTES];
    if (!find_base(journal_dir, base))
        return false;
    /* Others may pass through, to the one that is theirs and whose name they know. */
    if (mkdir(base, 0711) != 0 && access(base, X_OK) != 0) {
        if (journal_dir != NULL)
            log_warn("store",
                     "journal_dir %s cannot be used: %s; what would be written there goes to %s",
                     base, strerror(errno), state_dir);
        return false;
    }
    if (!identify(state_dir, id))
        return false;
    (void)snprintf(out, 512, "%s/%s", base, id);
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

int state_open(struct store **out, const char *dir, const struct config *c,
               char err[SERVE_HOST_ERR_MAX])
{
    char note[256] = "", memory[512];
    struct store_file_config cfg = {.dir = dir};
    set_sync(&cfg, c->persistence_sync);
    if (place_in_memory(dir, c->journal_dir, memory))
        cfg.journal_dir = memory;
    int rc = store_file_open(out, &cfg, note);
    if (rc == MD_OK && note[0] != '\0')
        log_warn("store", "%s", note);
    else if (rc != MD_OK)
        (void)snprintf(err, SERVE_HOST_ERR_MAX, "%s",
                       note[0] != '\0' ? note : "cannot open the store: out of memory");
    return rc;
}

int state_give(const char *dir, const struct config *c, const struct serve_user *u,
               char err[SERVE_HOST_ERR_MAX])
{
    char memory[512];
    if (!u->wanted)
        return MD_OK;
    int rc = serve_host_give(dir, u, err);
    if (rc == MD_OK && place_in_memory(dir, c->journal_dir, memory))
        rc = serve_host_give(memory, u, err);
    return rc;
}
