#include "tools/secret.h"

#include "broker/base/mem.h"

#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool read_line(FILE *in, char out[SECRET_MAX])
{
    if (fgets(out, SECRET_MAX, in) == NULL)
        return false;
    size_t n = strcspn(out, "\r\n");
    bool whole = out[n] != '\0' || feof(in);
    out[n] = '\0';
    return whole;
}

static bool ask(FILE *in, FILE *prompts, const char *what, char out[SECRET_MAX])
{
    fputs(what, prompts);
    (void)fflush(prompts);
    bool ok = read_line(in, out);
    fputs("\n", prompts);
    return ok;
}

static bool ask_twice(FILE *in, FILE *prompts, char out[SECRET_MAX])
{
    char again[SECRET_MAX] = "";
    bool same = ask(in, prompts, "Password: ", out) && ask(in, prompts, "Again: ", again) &&
                strcmp(out, again) == 0;
    mem_wipe(again, sizeof again);
    return same;
}

bool secret_read(FILE *in, FILE *prompts, char out[SECRET_MAX])
{
    struct termios before;
    int fd = fileno(in);
    if (fd < 0 || tcgetattr(fd, &before) != 0)
        return read_line(in, out);
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(fd, TCSAFLUSH, &silent);
    bool ok = ask_twice(in, prompts, out);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    return ok;
}
