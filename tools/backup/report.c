#include "tools/backup/report.h"

static const struct {
    enum store_ns ns;
    const char *one, *many, *json;
} rows[] = {{STORE_DEVICE, "plug", "plugs", "plugs"},
            {STORE_ENERGY, "record of energy", "records of energy", "energy"},
            {STORE_SESSION, "session", "sessions", "sessions"},
            {STORE_RETAIN, "retained message", "retained messages", "retained"}};

#define ROWS (sizeof rows / sizeof rows[0])

void report_text(FILE *out, const struct store_copied *what)
{
    for (size_t i = 0; i < ROWS; i++) {
        size_t n = what->entries[rows[i].ns];
        fprintf(out, "%s%zu %s", i > 0 ? ", " : "", n, n == 1 ? rows[i].one : rows[i].many);
    }
}

void report_json(struct json_writer *w, const struct store_copied *what)
{
    for (size_t i = 0; i < ROWS; i++)
        json_write_pair_int(w, rows[i].json, (int64_t)what->entries[rows[i].ns]);
}
