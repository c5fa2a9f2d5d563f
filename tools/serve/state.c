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
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_DIGITS  32u
#define ID_FORMAT  2u
#define ID_BYTES   640u
#define BASE_BYTES 448u /* longer than any journal_dir */

struct id {
    char text[ID_DIGITS + 1];
    unsigned format;
    unsigned long long inode; /* of the directory it was made for; 0: not known */
    char path[512];           /* of that, links followed                       */
};

/* "merossd-id 2 <32 digits> <inode> <path>"; format 1 had the digits alone.  Errors: MD_NOENT (none
 * that makes sense). */
static int parse_id(char *text, struct id *out)
{
    char digits[ID_DIGITS + 2] = "";
    *out = (struct id){.format = 1};
    text[strcspn(text, "\n")] = '\0';
    if (sscanf(text, "merossd-id %u %33s %llu %511[^\n]", &out->format, digits, &out->inode,
               out->path) < 1)
        (void)snprintf(digits, sizeof digits, "%.33s", text);
    if (out->format > ID_FORMAT)
        return MD_OK;
    if (strlen(digits) != ID_DIGITS || strspn(digits, "0123456789abcdef") != ID_DIGITS)
        return MD_NOENT;
    memcpy(out->text, digits, sizeof out->text);
    return MD_OK;
}

static int read_id(const char *dir, struct id *out)
{
    char path[640], text[ID_BYTES] = "";
    (void)snprintf(path, sizeof path, "%.500s/id", dir);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    return n <= 0 ? MD_NOENT : parse_id(text, out);
}

static int write_id(const char *dir, struct id *id)
{
    char path[640], text[ID_BYTES];
    (void)snprintf(path, sizeof path, "%.500s/id", dir);
    (void)snprintf(text, sizeof text, "merossd-id %u %s %llu %s\n", ID_FORMAT, id->text, id->inode,
                   id->path);
    return file_replace(path, span_str(text));
}

/* Where the directory is now. */
static void look_where(const char *dir, struct id *out)
{
    char real[PATH_MAX];
    struct stat st;
    out->inode = stat(dir, &st) == 0 ? (unsigned long long)st.st_ino : 0;
    bool fits = realpath(dir, real) != NULL && strlen(real) < sizeof out->path;
    (void)snprintf(out->path, sizeof out->path, "%.511s", fits ? real : "");
}

/* Is there another directory with this id, where it was made? */
static bool has_twin(const struct id *id, const struct id *here)
{
    struct id other;
    struct stat a, b;
    if (id->path[0] == '\0' || strcmp(id->path, here->path) == 0 ||
        read_id(id->path, &other) != MD_OK || strcmp(other.text, id->text) != 0)
        return false;
    return stat(id->path, &a) == 0 && stat(here->path, &b) == 0 &&
           (a.st_dev != b.st_dev || a.st_ino != b.st_ino);
}

/* The same directory, and not a copy?  The inode alone does not say: on an overlay a folder gets
 * another one when memory is short, and a snapshot has the same.  A copy in the same place is
 * guarded by what the journals say they follow. */
static bool is_here(const struct id *id, const struct id *here)
{
    if (id->path[0] != '\0' && strcmp(id->path, here->path) == 0)
        return true;
    return id->inode == here->inode && !has_twin(id, here);
}

/* The directory's own random name: what a journal in memory belongs to must not be told by the path
 * alone, or a directory that was deleted would come back from there; and a copy of the directory is
 * another one, with nothing in memory.
 * Errors: MD_INVAL (of a newer format), MD_IO (it takes none now). */
static int identify(const char *dir, struct id *id)
{
    struct id here;
    uint8_t random[ID_DIGITS / 2];
    int err = read_id(dir, id);
    if (err == MD_OK && id->format > ID_FORMAT)
        return MD_INVAL;
    look_where(dir, &here);
    bool same = err == MD_OK && (id->format < ID_FORMAT || is_here(id, &here));
    if (same && id->format == ID_FORMAT && id->inode == here.inode &&
        strcmp(id->path, here.path) == 0)
        return MD_OK;
    if (!same && getentropy(random, sizeof random) != 0)
        return MD_IO;
    for (size_t i = 0; i < sizeof random && !same; i++)
        (void)snprintf(id->text + 2 * i, 3, "%02x", random[i]);
    id->inode = here.inode;
    memcpy(id->path, here.path, sizeof id->path);
    /* An id of before stays usable where it cannot be written anew. */
    return write_id(dir, id) == MD_OK || same ? MD_OK : MD_IO;
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

/* A place in memory of our own, one for each state directory.
 * Errors: MD_NOENT (there is none, and the state directory has to do), MD_INVAL (newer format). */
static int place_in_memory(const char *state_dir, const char *journal_dir, char out[512])
{
    char base[BASE_BYTES];
    struct id id;
    if (!find_base(journal_dir, base))
        return MD_NOENT;
    /* Others may pass through, to the one that is theirs and whose name they know. */
    if (mkdir(base, 0711) != 0 && access(base, X_OK) != 0) {
        if (journal_dir != NULL)
            log_warn("store",
                     "journal_dir %s cannot be used: %s%s; what would be written there goes to %s",
                     base, strerror(errno), md_errno_step(errno), state_dir);
        return MD_NOENT;
    }
    int err = identify(state_dir, &id);
    if (err == MD_OK)
        (void)snprintf(out, 512, "%s/%s", base, id.text);
    return err == MD_IO ? MD_NOENT : err;
}

void state_hot_dirs(const char *dir, const struct config *c, struct state_hot_dirs *out)
{
    char base[BASE_BYTES];
    struct id id, here;
    struct stat st;
    unsigned n = 0;
    out->list[0] = NULL;
    if (read_id(dir, &id) != MD_OK || id.format > ID_FORMAT || stat(dir, &st) != 0)
        return;
    look_where(dir, &here);
    if (id.format == ID_FORMAT && !is_here(&id, &here))
        return;
    if (find_base(c->journal_dir, base))
        (void)snprintf(out->path[n++], sizeof out->path[0], "%s/%s", base, id.text);
    (void)snprintf(out->path[n++], sizeof out->path[0], "/run/merossd/%s", id.text);
    (void)snprintf(out->path[n++], sizeof out->path[0], "/run/user/%ld/merossd/%s", (long)st.st_uid,
                   id.text);
    unsigned kept = n > 2 && strcmp(out->path[0], out->path[1]) == 0 ? 1 : 0;
    for (unsigned i = kept; i < n; i++)
        out->list[i - kept] = out->path[i];
    out->list[n - kept] = NULL;
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
    int rc = place_in_memory(dir, c->journal_dir, memory);
    if (rc == MD_INVAL) {
        (void)snprintf(err, SERVE_HOST_ERR_MAX,
                       "the state directory %.300s was written by a newer merossd (see its file "
                       "`id`). Start that one, or choose another `state_dir`; nothing was changed.",
                       dir);
        return rc;
    }
    if (rc == MD_OK)
        cfg.journal_dir = memory;
    rc = store_file_open(out, &cfg, note);
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
    if (rc == MD_OK && place_in_memory(dir, c->journal_dir, memory) == MD_OK)
        rc = serve_host_give(memory, u, err);
    return rc;
}
