#include "tools/doctor/doctor.h"

#include "broker/base/mem.h"
#include "meross/wire/text.h"

#include <inttypes.h>
#include <stdarg.h>

static char *text_of(const char *fmt, va_list ap)
{
    char text[DOCTOR_TEXT_MAX];
    (void)vsnprintf(text, sizeof text, fmt, ap);
    text_tame(text); /* a plug may have chosen part of it */
    return mem_strdup(text);
}

void doctor_part(struct doctor *d, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(d->part, sizeof d->part, fmt, ap);
    va_end(ap);
    text_tame(d->part);
}

static bool grow(struct doctor *d)
{
    size_t cap = d->cap == 0 ? 32 : 2 * d->cap;
    struct doctor_finding *v = mem_alloc(cap * sizeof *v);
    if (v == NULL)
        return false;
    if (d->n > 0)
        memcpy(v, d->v, d->n * sizeof *v);
    mem_free(d->v);
    d->v = v;
    d->cap = cap;
    return true;
}

void doctor_add(struct doctor *d, enum doctor_mark mark, const char *about, const char *fmt, ...)
{
    va_list ap;
    d->bad += mark == DOCTOR_BAD;
    if (d->n == d->cap && !grow(d)) {
        d->failed = true;
        return;
    }
    struct doctor_finding *f = &d->v[d->n];
    *f = (struct doctor_finding){
        .mark = mark, .part = mem_strdup(d->part), .about = mem_strdup(about)};
    va_start(ap, fmt);
    f->text = text_of(fmt, ap);
    va_end(ap);
    d->failed |= f->part == NULL || f->about == NULL || f->text == NULL;
    d->n++;
}

void doctor_todo(struct doctor *d, const char *fmt, ...)
{
    va_list ap;
    if (d->n == 0)
        return;
    struct doctor_finding *f = &d->v[d->n - 1];
    mem_free(f->todo);
    va_start(ap, fmt);
    f->todo = text_of(fmt, ap);
    va_end(ap);
}

static const char *or_empty(const char *s) { return s != NULL ? s : "(out of memory)"; }

void doctor_print(const struct doctor *d, FILE *out, bool coloured)
{
    static const char *const marks[] = {"✓", "✗", "!", "-"};
    static const char *const colours[] = {"\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"};
    const char *part = "";
    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_finding *f = &d->v[i];
        if (strcmp(part, or_empty(f->part)) != 0)
            fprintf(out, "%s%s\n", i > 0 ? "\n" : "", or_empty(f->part));
        part = or_empty(f->part);
        fprintf(out, "  %s%s%s %s\n", coloured ? colours[f->mark] : "", marks[f->mark],
                coloured ? "\x1b[0m" : "", or_empty(f->text));
        if (f->todo != NULL)
            fprintf(out, "      %s\n", f->todo);
    }
}

void doctor_write(struct json_writer *w, const struct doctor *d)
{
    static const char *const marks[] = {"good", "bad", "note", "skipped"};
    json_write_open(w, '[');
    for (size_t i = 0; i < d->n; i++) {
        const struct doctor_finding *f = &d->v[i];
        json_write_open(w, '{');
        json_write_pair(w, "part", or_empty(f->part));
        json_write_pair(w, "about", or_empty(f->about));
        json_write_pair(w, "mark", marks[f->mark]);
        json_write_pair(w, "text", or_empty(f->text));
        if (f->todo != NULL)
            json_write_pair(w, "todo", f->todo);
        json_write_close(w, '}');
    }
    json_write_close(w, ']');
}

void doctor_clear(struct doctor *d)
{
    for (size_t i = 0; i < d->n; i++) {
        mem_free(d->v[i].part);
        mem_free(d->v[i].about);
        mem_free(d->v[i].text);
        mem_free(d->v[i].todo);
    }
    mem_free(d->v);
    *d = (struct doctor){.n = 0};
}

void doctor_duration(int64_t s, char *out, size_t cap)
{
    if (s >= 2 * 86400)
        (void)snprintf(out, cap, "%" PRId64 " days", s / 86400);
    else if (s >= 2 * 3600)
        (void)snprintf(out, cap, "%" PRId64 " h", s / 3600);
    else if (s >= 120)
        (void)snprintf(out, cap, "%" PRId64 " min", s / 60);
    else
        (void)snprintf(out, cap, "%" PRId64 " s", s < 0 ? 0 : s);
}
