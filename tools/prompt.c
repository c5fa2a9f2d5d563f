#include "tools/prompt.h"

#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define SLICE_MS 100

bool prompt_terminal(const struct prompt *p)
{
    int fd = fileno(p->in);
    return fd >= 0 && isatty(fd) == 1;
}

/* What ends the program, also from the keyboard. */
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

#define ENDINGS (sizeof endings / sizeof endings[0])

/* One came while prompt_secret() held it back. */
static bool ending(void)
{
    sigset_t waiting;
    if (sigpending(&waiting) != 0)
        return false;
    for (size_t i = 0; i < ENDINGS; i++)
        if (sigismember(&waiting, endings[i]) == 1)
            return true;
    return false;
}

/* Something can be read without waiting; false when the program is to stop. */
static bool await(const struct prompt *p)
{
    struct pollfd f = {.fd = fileno(p->in), .events = POLLIN};
    while (f.fd >= 0) {
        if (ending() || (p->stopped != NULL && p->stopped(p->ctx)))
            return false;
        if (poll(&f, 1, SLICE_MS) > 0)
            break;
    }
    return true;
}

static bool read_line(const struct prompt *p, char *out, size_t cap)
{
    size_t n = 0;
    int c = EOF;
    (void)setvbuf(p->in, NULL, _IONBF, 0); /* what poll(2) does not see must not exist */
    while (await(p) && (c = fgetc(p->in)) != EOF && c != '\n')
        if (n + 1 < cap && c != '\0')
            out[n++] = (char)c;
        else
            cap = 0; /* too long, or no text: the rest is read and dropped */
    if (cap == 0)
        n = 0;
    else if (n > 0 && out[n - 1] == '\r')
        n--;
    if (cap > 0)
        out[n] = '\0';
    return cap > 0 && (c == '\n' || (c == EOF && n > 0));
}

static void ask(const struct prompt *p, const char *question)
{
    fputs(question, p->out);
    (void)fflush(p->out);
}

bool prompt_line(const struct prompt *p, const char *question, char *out, size_t cap)
{
    ask(p, question);
    out[0] = '\0';
    return read_line(p, out, cap);
}

bool prompt_secret(const struct prompt *p, const char *question, char *out, size_t cap)
{
    struct termios before;
    sigset_t held, mask;
    out[0] = '\0';
    if (!prompt_terminal(p) || tcgetattr(fileno(p->in), &before) != 0)
        return read_line(p, out, cap);
    struct termios silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < ENDINGS; i++)
        (void)sigaddset(&held, endings[i]);
    (void)sigprocmask(SIG_BLOCK, &held, &mask); /* none may leave a terminal without echo */
    /* Silent before the question is there: whoever types at once must not be flushed away. */
    (void)tcsetattr(fileno(p->in), TCSAFLUSH, &silent);
    ask(p, question);
    bool ok = read_line(p, out, cap);
    (void)tcsetattr(fileno(p->in), TCSADRAIN, &before);
    fputs("\n", p->out);
    (void)sigprocmask(SIG_SETMASK, &mask, NULL);
    return ok;
}
