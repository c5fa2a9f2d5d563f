#include "tools/config.h"

#include "broker/base/mem.h"
#include "tools/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int config_load(struct config *out, const char *file, char err[CONFIG_ERR_MAX])
{
    struct buf text;
    buf_init(&text, CONFIG_FILE_MAX);
    int rc = MD_OK;
    if (file != NULL)
        rc = file_read(file, &text);
    if (rc == MD_IO)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read the configuration file %.200s: %s", file,
                       strerror(errno));
    else if (rc != MD_OK)
        (void)snprintf(err, CONFIG_ERR_MAX, "cannot read the configuration file %.200s: %s", file,
                       md_err_text(rc));
    else
        rc = config_parse(out, file == NULL ? "defaults" : file, buf_view(&text), err);
    mem_wipe(text.p, text.n); /* it may hold keys */
    buf_free(&text);
    return rc;
}

static int fits(int n, size_t cap) { return n < 0 || (size_t)n >= cap ? MD_INVAL : MD_OK; }

int config_state_dir(const struct config *c, char *out, size_t cap)
{
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (c != NULL && c->state_dir != NULL)
        return fits(snprintf(out, cap, "%s", c->state_dir), cap);
    if (geteuid() == 0)
        return fits(snprintf(out, cap, "/var/lib/merossd"), cap);
    if (xdg != NULL && xdg[0] == '/') /* a relative one is to be ignored, says the standard */
        return fits(snprintf(out, cap, "%s/merossd", xdg), cap);
    if (home == NULL || home[0] == '\0')
        return MD_INVAL;
    return fits(snprintf(out, cap, "%s/.local/state/merossd", home), cap);
}
