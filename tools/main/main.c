#include "tools/cmd.h"

int main(int argc, char **argv) { return verbs_main(argc, argv, stdin, stdout, stderr); }
