#include "broker/access/passwd.h"

#include "broker/access/digest.h"
#include "broker/access/lines.h"
#include "broker/base/log.h"
#include "broker/base/map.h"
#include "broker/base/mem.h"

#define SALT_BYTES 12 /* as mosquitto_passwd makes them */

struct user {
    struct map_node by_name;
    struct user *next;
    struct passwd_record record;
    size_t name_n;
    uint8_t name[];
};

struct passwd {
    struct map users;
    struct user *all;
    size_t n;
    struct passwd_record nobody;
};

/* --- one line ------------------------------------------------------------------------------ */

/* The byte that %3A or %25 at `s` stands for; 0: it is no escape. */
static uint8_t escaped(struct span s)
{
    if (s.n < 3 || s.p[0] != '%')
        return 0;
    if (s.p[1] == '3' && (s.p[2] == 'A' || s.p[2] == 'a'))
        return ':';
    return s.p[1] == '2' && s.p[2] == '5' ? '%' : 0;
}

/* What is before the colon, as the client sends it; `out` has room for text.n bytes. */
static size_t unescape(uint8_t *out, struct span text)
{
    size_t n = 0;
    while (text.n > 0) {
        uint8_t c = escaped(text);
        out[n++] = c != 0 ? c : text.p[0];
        text = span_skip(text, c != 0 ? 3 : 1);
    }
    return n;
}

static int escape(struct buf *out, struct span user)
{
    int err = MD_OK;
    for (size_t i = 0; i < user.n && err == MD_OK; i++) {
        bool percent = user.p[i] == '%' && escaped(span_skip(user, i)) != 0;
        err = user.p[i] == ':' ? buf_put_str(out, "%3A")
              : percent        ? buf_put_str(out, "%25")
                               : buf_put(out, span_of(user.p + i, 1));
    }
    return err;
}

/* Cuts what is before the next `c` off *rest; all of it when there is none. */
static struct span cut(struct span *rest, uint8_t c)
{
    const uint8_t *at = rest->n > 0 ? memchr(rest->p, c, rest->n) : NULL;
    size_t n = at == NULL ? rest->n : (size_t)(at - rest->p);
    struct span head = span_of(rest->p, n);
    *rest = span_skip(*rest, n + 1);
    return head;
}

static bool read_iterations(struct span s, uint32_t *out)
{
    uint32_t v = 0;
    if (s.n == 0 || s.n > 7)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(s.p[i] - '0');
    }
    *out = v;
    return v >= 1 && v <= PASSWD_ITERATIONS_MAX;
}

static const char *read_record(struct passwd_record *r, struct span s)
{
    size_t salt_n, hash_n;
    *r = (struct passwd_record){.iterations = 1};
    if (span_starts(s, "$6$"))
        r->scheme = 6;
    else if (span_starts(s, "$7$"))
        r->scheme = 7;
    else
        return "this version reads passwords that begin with $6$ or $7$; make this one again "
               "with `merossd passwd FILE USER`";
    s = span_skip(s, 3);
    if (r->scheme == 7 && !read_iterations(cut(&s, '$'), &r->iterations))
        return "the number behind $7$ is not one from 1 to 1000000";
    if (digest_from_base64(r->salt, sizeof r->salt, &salt_n, cut(&s, '$')) != MD_OK || salt_n == 0)
        return "the salt is not base64 of 1 to 64 bytes; is the line complete?";
    if (digest_from_base64(r->hash, sizeof r->hash, &hash_n, s) != MD_OK || hash_n != PASSWD_HASH)
        return "the hash is not base64 of 64 bytes; is the line complete?";
    r->salt_n = (uint8_t)salt_n;
    return NULL;
}

/* --- the file ------------------------------------------------------------------------------ */

/* Dearer to compare with? */
static bool dearer(const struct passwd_record *a, const struct passwd_record *b)
{
    return a->scheme != b->scheme ? a->scheme > b->scheme : a->iterations > b->iterations;
}

static int add(struct passwd *p, struct span name, const struct passwd_record *r)
{
    struct user *u = mem_alloc(sizeof *u + name.n);
    if (u == NULL)
        return MD_NOMEM;
    u->record = *r;
    u->name_n = unescape(u->name, name);
    struct span key = span_of(u->name, u->name_n);
    if (map_get(&p->users, key) != NULL) {
        mem_free(u);
        return MD_EXIST;
    }
    map_put(&p->users, &u->by_name, key);
    u->next = p->all;
    p->all = u;
    p->n++;
    if (dearer(r, &p->nobody)) {
        p->nobody.scheme = r->scheme;
        p->nobody.iterations = r->iterations;
    }
    return MD_OK;
}

static int read_line(void *ctx, const struct lines *at, struct span line)
{
    struct passwd *p = ctx;
    struct passwd_record r;
    if (lines_trim(line).n == 0 || line.p[0] == '#')
        return MD_OK;
    if (memchr(line.p, ':', line.n) == NULL)
        return lines_fault(at, "no `:`; a line is USER:$7$...; make it with `merossd passwd`");
    struct span rest = line;
    struct span name = cut(&rest, ':');
    if (!passwd_name_ok(name))
        return lines_fault(at, "the user name is empty, too long, or has blanks at its ends or "
                               "control characters");
    const char *why = read_record(&r, rest);
    if (why != NULL)
        return lines_fault(at, why);
    int err = add(p, name, &r);
    if (err == MD_EXIST)
        return lines_fault(at, "this user has a line above already; remove one of them");
    return err;
}

int passwd_parse(struct passwd **out, const char *file, struct span text, const struct env *env,
                 char err[PASSWD_ERR_MAX])
{
    struct lines at = {.file = file, .err = err, .cap = PASSWD_ERR_MAX};
    struct passwd *p = mem_alloc(sizeof *p);
    if (p == NULL || map_init(&p->users, map_seed(env)) != MD_OK) {
        mem_free(p);
        return lines_no_memory(&at);
    }
    p->nobody = (struct passwd_record){.scheme = 6, .salt_n = SALT_BYTES, .iterations = 1};
    env_random(env, p->nobody.salt, SALT_BYTES);
    env_random(env, p->nobody.hash, sizeof p->nobody.hash);
    int rc = lines_each(&at, text, read_line, p);
    if (rc == MD_OK && p->n == 0) {
        p->nobody.scheme = 7;
        p->nobody.iterations = PASSWD_ITERATIONS;
    }
    if (rc == MD_OK)
        *out = p;
    else
        passwd_free(p);
    return rc;
}

void passwd_free(struct passwd *p)
{
    if (p == NULL)
        return;
    while (p->all != NULL) {
        struct user *u = p->all;
        p->all = u->next;
        mem_free(u);
    }
    map_clear(&p->users);
    mem_free(p);
}

size_t passwd_count(const struct passwd *p) { return p->n; }

const struct passwd_record *passwd_find(const struct passwd *p, struct span user)
{
    struct map_node *node = map_get(&p->users, user);
    return node == NULL ? NULL : &MAP_OF(node, struct user, by_name)->record;
}

const struct passwd_record *passwd_nobody(const struct passwd *p) { return &p->nobody; }

int passwd_verify(const struct passwd_record *r, struct span password)
{
    uint8_t hash[PASSWD_HASH];
    struct span salt = span_of(r->salt, r->salt_n);
    int err = r->scheme == 6 ? digest_sha512(hash, password, salt)
                             : digest_pbkdf2(hash, password, salt, r->iterations);
    if (err == MD_OK && !digest_equal(hash, r->hash, sizeof hash))
        err = MD_DENIED;
    mem_wipe(hash, sizeof hash);
    return err;
}

/* --- writing ------------------------------------------------------------------------------- */

bool passwd_name_ok(struct span user)
{
    if (user.n == 0 || user.n > PASSWD_NAME_MAX || user.p[0] == '#' || user.p[0] == ' ' ||
        user.p[user.n - 1] == ' ')
        return false;
    for (size_t i = 0; i < user.n; i++)
        if (user.p[i] < 0x20 || user.p[i] == 0x7f)
            return false;
    return true;
}

int passwd_write(struct buf *out, struct span user, struct span password, unsigned iterations,
                 const struct env *env)
{
    uint8_t salt[SALT_BYTES], hash[PASSWD_HASH];
    char salt_text[SALT_BYTES / 3 * 4 + 1], hash_text[(PASSWD_HASH + 2) / 3 * 4 + 1];
    size_t before = out->n;
    env_random(env, salt, sizeof salt);
    int err = digest_pbkdf2(hash, password, span_of(salt, sizeof salt), iterations);
    if (err == MD_OK)
        err = digest_to_base64(salt_text, sizeof salt_text, span_of(salt, sizeof salt));
    if (err == MD_OK)
        err = digest_to_base64(hash_text, sizeof hash_text, span_of(hash, sizeof hash));
    if (err == MD_OK)
        err = escape(out, user);
    if (err == MD_OK)
        err = buf_putf(out, ":$7$%u$%s$%s\n", iterations, salt_text, hash_text);
    if (err != MD_OK)
        out->n = before;
    return err;
}

/* Is it the line of this user?  Also a damaged one, which is thereby mended. */
static bool is_line_of(struct span line, struct span user)
{
    uint8_t name[3 * PASSWD_NAME_MAX];
    struct span rest = line;
    struct span written = cut(&rest, ':');
    if (written.n == line.n || written.n > sizeof name || line.p[0] == '#')
        return false;
    return span_eq(span_of(name, unescape(name, written)), user);
}

static int put_line(struct buf *out, struct span line)
{
    int err = buf_put(out, line);
    return err == MD_OK ? buf_put_str(out, "\n") : err;
}

int passwd_edit(struct buf *out, struct span text, struct span user, struct span line)
{
    bool found = false;
    int err = MD_OK;
    while (text.n > 0 && err == MD_OK) {
        struct span old = cut(&text, '\n');
        if (!is_line_of(old, user))
            err = put_line(out, old);
        else if (!found)
            err = buf_put(out, line);
        found = found || is_line_of(old, user);
    }
    if (err == MD_OK && !found)
        err = line.n > 0 ? buf_put(out, line) : MD_NOENT;
    return err;
}
