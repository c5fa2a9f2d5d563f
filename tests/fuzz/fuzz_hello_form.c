/* Any text through hello_form: what is understood gives proper JSON and printable lines. */
#include "tools/doctor/hello_form.h"

#include "broker/base/mem.h"
#include "meross/wire/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void as_json(const char *line)
{
    struct buf b;
    struct json_writer w;
    struct json j;
    buf_init(&b, 1u << 20);
    json_write_start(&w, &b);
    if (hello_form_write(&w, line) && w.err == MD_OK) {
        if (json_parse(&j, buf_view(&b)) != MD_OK || !json_exists(json_get(json_root(&j), "sni")))
            abort();
        json_free(&j);
    }
    buf_free(&b);
}

static void as_text(const char *line)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (out == NULL)
        return;
    bool ok = hello_form_print(out, line);
    fclose(out);
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\n' && (text[i] < ' ' || text[i] > '~'))
            abort();
    if (!ok && n > 0)
        abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = mem_alloc(size + 1);
    if (line == NULL)
        return 0;
    if (size > 0)
        memcpy(line, data, size);
    as_json(line);
    as_text(line);
    mem_free(line);
    return 0;
}
