#include "broker/access/acl.h"

#include "broker/access/lines.h"
#include "broker/base/map.h"
#include "broker/base/mem.h"
#include "broker/codec/topic.h"

#define ON_STACK 512 /* bytes of a pattern with its names in it; a longer one is allocated */

struct rule {
    struct rule *next;
    unsigned rights; /* or'ed enum acl_right; 0 denies                  */
    bool names_user; /* a pattern with %u                               */
    bool is_pattern; /* with %c or %u                                   */
    struct span filter;
};

struct rules { /* denials apart: they are looked at first */
    struct rule *deny, *allow, **end;
};

struct user {
    struct map_node by_name;
    struct user *next;
    struct rules rules;
};

struct acl {
    uint8_t *text; /* what the spans point into */
    struct map users;
    struct user *all;
    struct rules anonymous, patterns;
    size_t n;
};

struct reader {
    struct acl *acl;
    struct rules *current;
};

/* --- reading ------------------------------------------------------------------------------- */

static struct span take_word(struct span *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    struct span word = span_of(rest->p, n);
    *rest = lines_trim(span_skip(*rest, n));
    return word;
}

struct right_word {
    const char *word;
    unsigned rights;
};

static bool read_rights(struct span word, unsigned *out)
{
    static const struct right_word words[] = {
        {"read", ACL_READ}, {"write", ACL_WRITE}, {"readwrite", ACL_READ | ACL_WRITE}, {"deny", 0}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (span_is(word, words[i].word)) {
            *out = words[i].rights;
            return true;
        }
    }
    return false;
}

static bool has_token(struct span s, uint8_t token)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '%' && s.p[i + 1] == token)
            return true;
    return false;
}

static int add_rule(struct acl *a, struct rules *to, unsigned rights, struct span filter)
{
    struct rule *r = mem_alloc(sizeof *r);
    if (r == NULL)
        return MD_NOMEM;
    *r = (struct rule){.rights = rights, .filter = filter};
    if (to == &a->patterns) {
        r->names_user = has_token(filter, 'u');
        r->is_pattern = r->names_user || has_token(filter, 'c');
    }
    if (rights == 0) {
        r->next = to->deny;
        to->deny = r;
    } else {
        *to->end = r;
        to->end = &r->next;
    }
    a->n++;
    return MD_OK;
}

/* `rest` is what stands behind `topic` or `pattern`. */
static int read_rule(struct reader *r, const struct lines *at, struct rules *to, struct span rest)
{
    unsigned rights = ACL_READ | ACL_WRITE;
    struct span filter = rest;
    struct span first = take_word(&rest);
    if (first.n == 0)
        return lines_fault(at, "the topic is missing");
    if (rest.n > 0) { /* a filter with blanks needs the right in front, as in mosquitto */
        if (!read_rights(first, &rights))
            return lines_fault(at, "the right is none of read, write, readwrite and deny");
        filter = rest;
    }
    if (!topic_filter_valid(filter))
        return lines_fault(at, "the topic is not a Topic Filter: + and # have a level to "
                               "themselves, # the last one");
    return add_rule(r->acl, to, rights, filter);
}

static void rules_init(struct rules *r)
{
    r->deny = r->allow = NULL;
    r->end = &r->allow;
}

static int read_user(struct reader *r, const struct lines *at, struct span name)
{
    if (name.n == 0)
        return lines_fault(at, "the user name is missing");
    struct map_node *node = map_get(&r->acl->users, name);
    struct user *u = node == NULL ? NULL : MAP_OF(node, struct user, by_name);
    if (u == NULL) {
        u = mem_alloc(sizeof *u);
        if (u == NULL)
            return MD_NOMEM;
        rules_init(&u->rules);
        map_put(&r->acl->users, &u->by_name, name);
        u->next = r->acl->all;
        r->acl->all = u;
    }
    r->current = &u->rules;
    return MD_OK;
}

static int read_line(void *ctx, const struct lines *at, struct span line)
{
    struct reader *r = ctx;
    struct span rest = lines_trim(line);
    if (rest.n == 0 || rest.p[0] == '#')
        return MD_OK;
    struct span word = take_word(&rest);
    if (span_is(word, "topic"))
        return read_rule(r, at, r->current, rest);
    if (span_is(word, "pattern"))
        return read_rule(r, at, &r->acl->patterns, rest);
    if (span_is(word, "user"))
        return read_user(r, at, rest);
    return lines_fault(at, "a line begins with topic, pattern, user or #");
}

static struct acl *make(struct span text, const struct env *env)
{
    struct acl *a = mem_alloc(sizeof *a);
    if (a == NULL)
        return NULL;
    rules_init(&a->anonymous);
    rules_init(&a->patterns);
    a->text = mem_alloc_raw(text.n + 1);
    if (a->text == NULL || map_init(&a->users, map_seed(env)) != MD_OK) {
        mem_free(a->text);
        mem_free(a);
        return NULL;
    }
    if (text.n > 0)
        memcpy(a->text, text.p, text.n);
    return a;
}

int acl_parse(struct acl **out, const char *file, struct span text, const struct env *env,
              char err[ACL_ERR_MAX])
{
    struct lines at = {.file = file, .err = err, .cap = ACL_ERR_MAX};
    struct acl *a = make(text, env);
    if (a == NULL)
        return lines_no_memory(&at);
    struct reader r = {a, &a->anonymous};
    int rc = lines_each(&at, span_of(a->text, text.n), read_line, &r);
    if (rc == MD_OK)
        *out = a;
    else
        acl_free(a);
    return rc;
}

static void free_list(struct rule *r)
{
    while (r != NULL) {
        struct rule *next = r->next;
        mem_free(r);
        r = next;
    }
}

static void free_rules(struct rules *r)
{
    free_list(r->deny);
    free_list(r->allow);
}

void acl_free(struct acl *a)
{
    if (a == NULL)
        return;
    while (a->all != NULL) {
        struct user *u = a->all;
        a->all = u->next;
        free_rules(&u->rules);
        mem_free(u);
    }
    free_rules(&a->anonymous);
    free_rules(&a->patterns);
    map_clear(&a->users);
    mem_free(a->text);
    mem_free(a);
}

size_t acl_count(const struct acl *a) { return a->n; }

/* --- deciding ------------------------------------------------------------------------------ */

/* What a token at `s` stands for; NULL: it is none. */
static const struct span *token(struct span s, const struct acl_who *who)
{
    if (s.n < 2 || s.p[0] != '%')
        return NULL;
    if (s.p[1] == 'c')
        return &who->client_id;
    return s.p[1] == 'u' ? &who->username : NULL;
}

/* With `out` NULL, counts. */
static size_t fill_in(uint8_t *out, struct span filter, const struct acl_who *who)
{
    size_t n = 0;
    while (filter.n > 0) {
        const struct span *name = token(filter, who);
        struct span piece = name != NULL ? *name : span_of(filter.p, 1);
        if (out != NULL && piece.n > 0)
            memcpy(out + n, piece.p, piece.n);
        n += piece.n;
        filter = span_skip(filter, name != NULL ? 2 : 1);
    }
    return n;
}

enum hit { HIT_NO, HIT_YES, HIT_UNKNOWN };

static enum hit match_pattern(const struct rule *r, const struct acl_who *who, struct span topic)
{
    uint8_t small[ON_STACK];
    if (r->names_user && who->username.n == 0) /* F163 */
        return HIT_NO;
    size_t n = fill_in(NULL, r->filter, who);
    uint8_t *p = n <= sizeof small ? small : mem_alloc_raw(n);
    if (p == NULL)
        return HIT_UNKNOWN;
    (void)fill_in(p, r->filter, who);
    enum hit hit = topic_match(span_of(p, n), topic) ? HIT_YES : HIT_NO;
    if (p != small)
        mem_free(p);
    return hit;
}

static enum hit match(const struct rule *r, const struct acl_who *who, struct span topic)
{
    if (span_starts(topic, "$") && !span_starts(r->filter, "$")) /* F164 */
        return HIT_NO;
    if (r->is_pattern)
        return match_pattern(r, who, topic);
    return topic_match(r->filter, topic) ? HIT_YES : HIT_NO;
}

enum verdict { DENIED, ALLOWED, OPEN };

static enum verdict decide(const struct rules *rules, const struct acl_who *who,
                           enum acl_right right, struct span topic)
{
    for (const struct rule *r = rules->deny; r != NULL; r = r->next)
        if (match(r, who, topic) != HIT_NO)
            return DENIED;
    for (const struct rule *r = rules->allow; r != NULL; r = r->next)
        if ((r->rights & right) != 0 && match(r, who, topic) == HIT_YES)
            return ALLOWED;
    return OPEN;
}

static bool has_wildcard(struct span s)
{
    return s.n > 0 && (memchr(s.p, '+', s.n) != NULL || memchr(s.p, '#', s.n) != NULL);
}

static const struct rules *rules_of(const struct acl *a, struct span username)
{
    if (username.n == 0)
        return &a->anonymous;
    struct map_node *node = map_get(&a->users, username);
    return node == NULL ? NULL : &MAP_OF(node, struct user, by_name)->rules;
}

bool acl_may(const struct acl *a, const struct acl_who *who, enum acl_right right,
             struct span topic)
{
    const struct rules *own = rules_of(a, who->username);
    enum verdict v = own == NULL ? OPEN : decide(own, who, right, topic);
    if (v != OPEN)
        return v == ALLOWED;
    if (has_wildcard(who->client_id) || has_wildcard(who->username))
        return false;
    return decide(&a->patterns, who, right, topic) == ALLOWED;
}
