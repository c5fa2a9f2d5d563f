/* plugsim - simulated plugs for the end-to-end tests and for `tools/run --demo`. */
#include <stdio.h>

#include "tests/plugsim/args.h"
#include "tests/plugsim/crowd.h"
#include "tests/plugsim/link.h"

#define EXIT_USAGE 2

int main(int argc, char **argv)
{
    struct args args;
    struct link_way *way = NULL;
    struct crowd *crowd = NULL;
    if (args_read(&args, argc, argv) != MD_OK)
        return EXIT_USAGE;
    if (args.help) {
        args_usage();
        return 0;
    }
    int err = link_way_new(args.host, args.port, args.plain, args.cipher, &way);
    if (err != MD_OK) {
        (void)fprintf(stderr, "plugsim: cannot prepare for %s port %u: %s\n", args.host, args.port,
                      md_err_text(err));
        return EXIT_USAGE;
    }
    err = crowd_new(&args, way, &crowd);
    int status = err == MD_OK ? crowd_run(crowd) : EXIT_USAGE;
    crowd_free(crowd);
    link_way_free(way);
    return status;
}
