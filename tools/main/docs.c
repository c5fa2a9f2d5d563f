/* docs.c - merossd-docs DIRECTORY DATE: writes the manual pages, the completions and the example
 * configuration of this version into a directory that is there. */
#include "tools/config/config_options.h"
#include "tools/packaging/docs/docs.h"

#include <errno.h>
#include <string.h>

static void bash(FILE *out, const char *date)
{
    (void)date;
    docs_bash(out);
}

static void zsh(FILE *out, const char *date)
{
    (void)date;
    docs_zsh(out);
}

static void example(FILE *out, const char *date)
{
    (void)date;
    config_options_example(out);
}

static const struct {
    const char *name;
    void (*write)(FILE *out, const char *date);
} files[] = {{"merossd.1", docs_man_program},
             {"merossd.conf.5", docs_man_config},
             {"merossd.bash", bash},
             {"_merossd", zsh},
             {"all-options.conf", example}};

static int write_one(const char *dir, size_t i, const char *date)
{
    char path[500];
    (void)snprintf(path, sizeof path, "%.400s/%s", dir, files[i].name);
    FILE *out = fopen(path, "w");
    if (out != NULL)
        files[i].write(out, date);
    if (out != NULL && fclose(out) == 0)
        return 0;
    fprintf(stderr, "merossd-docs: cannot write %s: %s\n", path, strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    int bad = 0;
    if (argc != 3) {
        fputs("Usage: merossd-docs DIRECTORY DATE\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0] && bad == 0; i++)
        bad = write_one(argv[1], i, argv[2]);
    return bad;
}
