/* replay.c - runs a fuzz target over files instead of libFuzzer: every file of every folder
 * named, plus the empty input.  A folder that does not exist is empty. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = NULL;
    size_t n = 0, got;
    do {
        data = realloc(data, n + 4096);
        if (data == NULL)
            abort();
        got = fread(data + n, 1, 4096, f);
        n += got;
    } while (got > 0);
    fclose(f);
    uint8_t *exact = malloc(n ? n : 1); /* the sanitizer sees one byte past the end */
    if (exact == NULL)
        abort();
    memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    free(data);
    return 0;
}

static int run_folder(const char *dir, unsigned *files)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return 0;
    int bad = 0;
    struct dirent *e;
    while ((e = readdir(d)) != NULL) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        bad |= run_file(path);
        ++*files;
    }
    closedir(d);
    return bad;
}

int main(int argc, char **argv)
{
    unsigned files = 0;
    int bad = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        bad |= run_folder(argv[i], &files);
    printf("replayed %u files\n", files);
    return bad;
}
