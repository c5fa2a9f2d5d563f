#include "tools/cmd.h"

#include <fcntl.h>
#include <unistd.h>

/* Where the standard input, output or error is closed, the first files that are opened would get
 * its number: the log would be written into the event loop's pipe, or an error into the journal.
 * /dev/null takes the place, opened the other way round, so that its use fails as before. */
static void keep_standard_numbers(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(1); /* nobody could be told */
}

int main(int argc, char **argv)
{
    keep_standard_numbers();
    return verbs_main(argc, argv, stdin, stdout, stderr);
}
