/* Who may connect and what he may do then: the inner hooks first, then names, passwords and rights.
 * The verdicts are those that mosquitto 2.0.11 gives with the same files. */
#include "tests/unit/access/fake_pool.h"

#include "broker/access/verify.h"

/* u:p and v:q, three iterations; made with Python's hashlib. */
#define LINE_U                                                                                     \
    "u:$7$3$AAECAwQFBgcICQoL$"                                                                     \
    "DQR7kp0k4BdZ0ZaxEt3lTW6tRnslyu5A7I09OFhFncPMnfG2fUA4bK9BWZzrfF0rBtoMZmB7FqVJDOrclQXKRQ=="
#define LINE_V                                                                                     \
    "v:$7$3$FBUWFxgZGhscHR4f$tb0n3aNDJ/"                                                           \
    "zzPaJZCiAU8TQfjZxJUwbKPMzCWBeEvCazPhA19s6EPJaFOHrKHeDEFVs53j6f9YZXa6t67U2QSA=="
#define LINE_U2                                                                                    \
    "u:$7$3$KCkqKywtLi8wMTIz$uySCCQuA3miXrIE6madBxM4t+Zby90yqYrCE8mRBGL8YNCcOIIwEZfl/"             \
    "ffcsJvsuXFVo3xNEtu2bxR+uePJa6g==" /* u, but another password */

static struct fake_env fake;
static struct access *a;
static struct broker_hooks h;
static char why[ACCESS_ERR_MAX];

static const struct access_file users = {
    "users", {(const uint8_t *)LINE_U "\n" LINE_V "\n", sizeof LINE_U "\n" LINE_V "\n" - 1}};

static void start_with(const struct access_listener *l, size_t n, const char *prefix,
                       const struct broker_hooks *inner)
{
    static const struct broker_hooks none;
    struct access_config cfg = {l, n, prefix};
    struct access_work work = {pool_run, &pool};
    fake_env_init(&fake);
    memset(&pool, 0, sizeof pool);
    assert_int_equal(access_new(&a, &cfg, inner ? inner : &none, work, &fake.env, why), MD_OK);
    access_attach(a, NULL);
    pool.hooks = h = access_hooks(a);
}

static void start(const struct access_listener *l) { start_with(l, 1, NULL, NULL); }

static void stop(void)
{
    access_free(a);
    a = NULL;
    assert_int_equal(mem_used(), 0);
}

/* What it shows is good until 64 others were made. */
static struct broker_client client(const char *id, const char *user, const char *password)
{
    static struct broker_arrival shown[64];
    static unsigned made;
    struct broker_arrival *arrival = &shown[made++ % 64];
    struct broker_client c = {
        .client_id = span_str(id), .peer = "192.0.2.7:1", .listener = 1, .arrival = arrival};
    *arrival = (struct broker_arrival){.opened_ms = 1};
    c.ticket = (unsigned char)id[0];
    if (user != NULL)
        c.username = span_str(user);
    if (password != NULL)
        arrival->password = span_str(password);
    return c;
}

/* The verdict, waited for when it comes later. */
static enum broker_verdict connect(struct broker_client *c)
{
    unsigned before = pool.n_decided;
    enum broker_verdict v = h.on_connect(h.ctx, c, NULL);
    if (v != BROKER_PENDING)
        return v;
    while (pool_step())
        ;
    assert_int_equal(pool.n_decided, before + 1);
    assert_int_equal(pool.decided[before].ticket, c->ticket);
    return pool.decided[before].verdict;
}

static enum broker_verdict ask(const char *user, const char *password)
{
    struct broker_client c = client("c", user, password);
    return connect(&c);
}

/* --- the inner hooks ----------------------------------------------------------------------- */

static enum broker_verdict inner_verdict(void *ctx, struct broker_client *who,
                                         const struct broker_message *will)
{
    (void)will;
    if (*(enum broker_verdict *)ctx == BROKER_ALLOW)
        who->tag = ctx;
    return *(enum broker_verdict *)ctx;
}

static bool inner_may(void *ctx, const struct broker_client *who, enum broker_action what,
                      struct span topic)
{
    (void)ctx;
    (void)who;
    (void)what;
    return span_is(topic, "yes");
}

static bool inner_may_receive(void *ctx, const struct broker_client *who, struct span topic)
{
    return inner_may(ctx, who, BROKER_PUBLISH, topic);
}

static void the_inner_verdict_stands(void **state)
{
    (void)state;
    static const enum broker_verdict verdicts[] = {BROKER_ALLOW, BROKER_BAD_CREDENTIALS,
                                                   BROKER_NOT_AUTHORIZED, BROKER_PENDING};
    static const struct access_file nothing = {"rights", {NULL, 0}};
    static const struct access_listener l = {
        .id = 1, .anonymous = ACCESS_NOBODY, .passwords = &users, .acl = &nothing};
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        enum broker_verdict v = verdicts[i];
        struct broker_hooks in = {.on_connect = inner_verdict,
                                  .may = inner_may,
                                  .may_receive = inner_may_receive,
                                  .ctx = &v};
        struct broker_client c = client("c", "mac", "1_x");
        start_with(&l, 1, "zz", &in);
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), v);
        if (v == BROKER_ALLOW) { /* its client: no ACL file holds for it */
            assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("yes")));
            assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("no")));
            assert_true(h.may_receive(h.ctx, &c, span_str("yes")));
            assert_false(h.may_receive(h.ctx, &c, span_str("no")));
        }
        stop();
    }
}

static void other_questions_go_to_the_inner_hooks(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .anonymous = ACCESS_EVERYBODY};
    struct broker_hooks in = {.may = inner_may};
    struct broker_client c = client("c", NULL, NULL);
    start_with(&l, 1, NULL, &in);
    assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("yes")));
    assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("no")));
    assert_false(h.may(h.ctx, &c, BROKER_SUBSCRIBE, span_str("no")));
    stop();
    start(&l);
    assert_true(h.may(h.ctx, &c, BROKER_SUBSCRIBE, span_str("no")));
    assert_true(h.on_publish(h.ctx, &c, NULL));
    h.on_connected(h.ctx, &c);
    h.on_subscribe(h.ctx, &c, span_str("x"));
    h.on_disconnect(h.ctx, &c, "why");
    h.on_disconnect(h.ctx, &c, "why"); /* one that it does not know */
    stop();
    access_free(NULL);
}

/* --- who may connect ----------------------------------------------------------------------- */

/* F166: anonymous only ever on loopback, unless it was asked for; a name without a password file is
 * no better than none. */
static void without_passwords(void **state)
{
    (void)state;
    static const struct {
        enum access_anonymous anonymous;
        enum broker_verdict far, near;
    } rows[] = {{ACCESS_THIS_HOST, BROKER_NOT_AUTHORIZED, BROKER_ALLOW},
                {ACCESS_NOBODY, BROKER_NOT_AUTHORIZED, BROKER_NOT_AUTHORIZED},
                {ACCESS_EVERYBODY, BROKER_ALLOW, BROKER_ALLOW}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct access_listener l = {.id = 1, .anonymous = rows[i].anonymous};
        struct broker_client c = client("c", NULL, NULL), elsewhere = c;
        start(&l);
        assert_int_equal(ask(NULL, NULL), rows[i].far);
        assert_int_equal(ask("anybody", "x"), rows[i].far);
        c.loopback = true;
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), rows[i].near);
        elsewhere.listener = 99; /* of no configuration */
        assert_int_equal(h.on_connect(h.ctx, &elsewhere, NULL), BROKER_NOT_AUTHORIZED);
        stop();
    }
}

/* F168 and F169; the columns of mosquitto: none, u, u+p, u+bad, zz+p, ""+p, ""+"". */
static void with_passwords(void **state)
{
    (void)state;
    static const enum access_anonymous modes[] = {ACCESS_THIS_HOST, ACCESS_NOBODY,
                                                  ACCESS_EVERYBODY};
    for (size_t i = 0; i < 3; i++) {
        struct access_listener l = {.id = 1, .anonymous = modes[i], .passwords = &users};
        enum broker_verdict nameless =
            modes[i] == ACCESS_EVERYBODY ? BROKER_ALLOW : BROKER_NOT_AUTHORIZED;
        start(&l);
        assert_int_equal(ask(NULL, NULL), nameless);
        assert_int_equal(ask("", "p"), nameless);
        assert_int_equal(ask("", ""), nameless);
        assert_int_equal(ask("u", NULL), BROKER_NOT_AUTHORIZED);
        assert_int_equal(pool.n, 0);
        assert_int_equal(ask("u", "p"), BROKER_ALLOW);
        assert_int_equal(ask("u", "bad"), BROKER_NOT_AUTHORIZED);
        assert_int_equal(ask("u", ""), BROKER_NOT_AUTHORIZED);
        assert_int_equal(ask("zz", "p"), BROKER_NOT_AUTHORIZED);
        assert_int_equal(pool.n, 4); /* the unknown user cost a comparison, too */
        struct broker_client c = client("c", NULL, NULL);
        c.loopback = true;
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), nameless);
        assert_int_equal(pool_logged("not the user's password"), 2);
        assert_int_equal(pool_logged("there is no such user"), 1);
        assert_int_equal(pool_logged("bad"), 0);
        stop();
    }
}

static void client_ids(void **state)
{
    (void)state;
    struct access_listener l = {.id = 1, .anonymous = ACCESS_EVERYBODY, .auto_id_prefix = "zz-"};
    start_with(&l, 1, "zz", NULL);
    struct broker_client c = client("", NULL, NULL);
    assert_int_equal(connect(&c), BROKER_ALLOW);
    assert_string_equal(c.arrival->auto_id_prefix, "zz-");
    c = client("zz", NULL, NULL);
    assert_int_equal(connect(&c), BROKER_ALLOW);
    c = client("z", NULL, NULL);
    assert_int_equal(connect(&c), BROKER_NOT_AUTHORIZED);
    stop();
    l = (struct access_listener){.id = 1, .anonymous = ACCESS_EVERYBODY, .needs_client_id = true};
    start_with(&l, 1, "zz", NULL);
    c = client("", NULL, NULL);
    assert_int_equal(connect(&c), BROKER_BAD_ID);
    stop();
    l.needs_client_id = false;
    start_with(&l, 1, "zz", NULL);
    c = client("", NULL, NULL); /* it would be called auto-... */
    assert_int_equal(connect(&c), BROKER_NOT_AUTHORIZED);
    stop();
}

static void other_names(void **state)
{
    (void)state;
    struct access_listener l = {
        .id = 1, .anonymous = ACCESS_EVERYBODY, .username_is_client_id = true};
    start(&l);
    struct broker_client c = client("c", "name", NULL);
    assert_int_equal(connect(&c), BROKER_ALLOW);
    assert_ptr_equal(c.client_id.p, c.username.p);
    c = client("c", NULL, NULL);
    assert_int_equal(connect(&c), BROKER_NOT_AUTHORIZED);
    stop();
    /* F182: the certificate says who it is, and no password is asked for. */
    l = (struct access_listener){.id = 1, .passwords = &users, .cn_is_username = true};
    start(&l);
    c = client("c", "u", "wrong");
    c.arrival->tls_cn = "common";
    c.arrival->tls_subject = "CN=common,O=x";
    assert_int_equal(connect(&c), BROKER_ALLOW);
    assert_true(span_is(c.username, "common"));
    c = client("c", "u", "p");
    assert_int_equal(connect(&c), BROKER_BAD_CREDENTIALS);
    c.arrival->tls_cn = "";
    assert_int_equal(connect(&c), BROKER_BAD_CREDENTIALS);
    stop();
    l = (struct access_listener){
        .id = 1, .subject_is_username = true, .username_is_client_id = true};
    start(&l);
    c = client("c", NULL, NULL);
    c.arrival->tls_cn = "common";
    c.arrival->tls_subject = "CN=common,O=x";
    assert_int_equal(connect(&c), BROKER_ALLOW);
    assert_true(span_is(c.username, "CN=common,O=x"));
    assert_true(span_is(c.client_id, "CN=common,O=x"));
    stop();
}

/* F165 */
static void each_listener_by_its_own(void **state)
{
    (void)state;
    static const struct access_file read = {"read", {(const uint8_t *)"topic read a", 12}};
    static const struct access_file write = {"write", {(const uint8_t *)"topic write a", 13}};
    static const struct access_listener l[] = {
        {.id = 1, .anonymous = ACCESS_EVERYBODY, .acl = &read},
        {.id = 2, .anonymous = ACCESS_EVERYBODY, .acl = &write},
        {.id = 3, .anonymous = ACCESS_NOBODY, .passwords = &users, .acl = &write},
        {.id = 4, .anonymous = ACCESS_EVERYBODY, .passwords = &users}};
    static const struct {
        bool in, reads, writes;
    } expect[] = {
        {true, true, false}, {true, false, true}, {false, false, true}, {true, true, true}};
    start_with(l, 4, NULL, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct broker_client c = client("c", NULL, NULL);
        c.listener = l[i].id;
        assert_int_equal(connect(&c) == BROKER_ALLOW, expect[i].in);
        assert_int_equal(h.may_receive(h.ctx, &c, span_str("a")), expect[i].reads);
        assert_int_equal(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("a")), expect[i].writes);
        assert_true(h.may(h.ctx, &c, BROKER_SUBSCRIBE, span_str("b"))); /* F175 */
    }
    /* Away, it has no listener: what it may receive is asked again when it is back. */
    struct broker_client away = {.client_id = span_str("c"), .peer = ""};
    assert_true(h.may_receive(h.ctx, &away, span_str("b")));
    stop();
    start_with(l + 1, 2, NULL, NULL); /* both have the same */
    assert_false(h.may_receive(h.ctx, &away, span_str("a")));
    stop();
}

static void nobody_writes_sys(void **state)
{
    (void)state;
    static const struct access_file rights = {
        "rights", {(const uint8_t *)"topic #\ntopic $SYS/#\ntopic $x", 29}};
    static const struct access_listener l[] = {{.id = 1, .anonymous = ACCESS_EVERYBODY},
                                               {.id = 2, .acl = &rights}};
    start_with(l, 2, NULL, NULL);
    for (unsigned id = 1; id <= 2; id++) {
        struct broker_client c = client("c", NULL, NULL);
        c.listener = id;
        assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$SYS/broker/uptime")));
        assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$SYS/broker/connection/b/state")));
        assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$SYS/broker/connection/state")));
        assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$SYS/broker/connection/b/x")));
        assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$x")));
        assert_int_equal(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("$y")), id == 1);
        assert_true(h.may_receive(h.ctx, &c, span_str("$SYS/broker/uptime")));
        assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("a")));
    }
    stop();
}

/* --- off the loop -------------------------------------------------------------------------- */

static void passwords_are_remembered(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    start(&l);
    assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, 1);
    for (unsigned i = 0; i < 500; i++) /* the whole house comes back */
        assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, 1);
    assert_int_equal(ask("v", "p"), BROKER_NOT_AUTHORIZED);
    assert_int_equal(ask("u", "q"), BROKER_NOT_AUTHORIZED);
    assert_int_equal(pool.n, 3);
    /* A use renews it; at the end of its time it is gone. */
    fake_env_step(&fake, VERIFY_CACHE_MS - 1);
    assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, 3);
    fake_env_step(&fake, VERIFY_CACHE_MS);
    assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, 4);
    stop();
}

/* One more user than there are places: the one not used for longest is forgotten. */
static void the_memory_has_an_end(void **state)
{
    (void)state;
    char text[(VERIFY_CACHE + 1) * 140], name[16];
    size_t n = 0;
    for (unsigned i = 0; i <= VERIFY_CACHE; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "u%u%s\n", i, &LINE_U[1]);
    struct access_file many = {"many", span_of(text, n)};
    struct access_listener l = {.id = 1, .passwords = &many};
    start(&l);
    for (unsigned i = 0; i <= VERIFY_CACHE; i++) {
        (void)snprintf(name, sizeof name, "u%u", i);
        assert_int_equal(ask(name, "p"), BROKER_ALLOW);
        fake_env_step(&fake, 1);
    }
    assert_int_equal(pool.n, VERIFY_CACHE + 1);
    assert_int_equal(ask("u1", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, VERIFY_CACHE + 1);
    assert_int_equal(ask("u0", "p"), BROKER_ALLOW);
    assert_int_equal(pool.n, VERIFY_CACHE + 2);
    stop();
}

static void the_queue_has_an_end(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    struct broker_client c = client("c", "u", "p");
    start(&l);
    for (unsigned i = 0; i < VERIFY_WAITING; i++) {
        c.ticket = i + 1;
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_PENDING);
    }
    assert_int_equal(pool.n, VERIFY_AT_WORK); /* the pool has other things to do */
    c.ticket = 1000;
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_BUSY);
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_BUSY);
    assert_int_equal(pool_logged("come back later"), 1);
    assert_true(pool_step());
    c.username = span_str("v"); /* u is remembered by now */
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_PENDING);
    while (pool_step())
        ;
    assert_int_equal(pool.n_decided, VERIFY_WAITING + 1);
    for (unsigned i = 0; i < VERIFY_WAITING; i++) {
        assert_int_equal(pool.decided[i].ticket, i + 1); /* in order */
        assert_int_equal(pool.decided[i].verdict, BROKER_ALLOW);
    }
    assert_int_equal(pool.decided[VERIFY_WAITING].verdict, BROKER_NOT_AUTHORIZED);
    stop();
}

static void nobody_waits_when_the_server_stops(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    struct broker_client c = client("c", "u", "p");
    start(&l);
    for (c.ticket = 1; c.ticket <= 5; c.ticket++)
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_PENDING);
    access_stop(a);
    assert_int_equal(pool.n_decided, 5 - VERIFY_AT_WORK);
    while (pool_step())
        ;
    assert_int_equal(pool.n_decided, 5);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(pool.decided[i].verdict, BROKER_BUSY);
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_BUSY);
    stop();
}

static void no_memory_is_not_a_wrong_password(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    struct broker_client c = client("c", "u", "p");
    start(&l);
    pool.refuses = true;
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_BUSY);
    pool.refuses = false;
    mem_fail_after(1);
    enum broker_verdict v = h.on_connect(h.ctx, &c, NULL);
    mem_fail_after(-1);
    assert_int_equal(v, BROKER_BUSY);
    /* The pool is full when the next in the queue is to start. */
    for (c.ticket = 1; c.ticket <= 4; c.ticket++)
        assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_PENDING);
    pool.refuses = true;
    while (pool_step())
        ;
    assert_int_equal(pool.n_decided, 4);
    assert_int_equal(pool.decided[0].verdict, BROKER_ALLOW);
    assert_int_equal(pool.decided[1].verdict, BROKER_BUSY);
    stop();
}

/* --- reload -------------------------------------------------------------------------------- */

static int reload(const char *passwords, const char *acl, enum access_anonymous anonymous)
{
    struct access_file p = {"users2", span_str(passwords ? passwords : "")};
    struct access_file r = {"rights2", span_str(acl ? acl : "")};
    struct access_listener l = {.id = 1,
                                .anonymous = anonymous,
                                .passwords = passwords ? &p : NULL,
                                .acl = acl ? &r : NULL};
    struct access_config cfg = {&l, 1, NULL};
    struct rules *now;
    int err = access_read(&now, &cfg, &fake.env, why);
    if (err == MD_OK)
        access_swap(a, now);
    return err;
}

static void reload_is_all_or_nothing(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    struct broker_client c = client("c", "u", "p");
    start(&l);
    assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_int_equal(reload(LINE_V "\nv:\n", NULL, ACCESS_NOBODY), MD_INVAL); /* F174 */
    assert_non_null(strstr(why, "users2:2: "));
    assert_int_equal(reload(LINE_V "\n", "topic\n", ACCESS_NOBODY), MD_INVAL);
    assert_non_null(strstr(why, "rights2:1: "));
    assert_int_equal(ask("u", "p"), BROKER_ALLOW);
    assert_true(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("a")));
    int err = MD_NOMEM;
    for (long n = 1; err == MD_NOMEM && n < 100; n++) {
        size_t before = mem_used();
        mem_fail_after(n);
        err = reload(LINE_V "\n", "topic b\n", ACCESS_NOBODY);
        mem_fail_after(-1);
        if (err == MD_NOMEM)
            assert_int_equal(mem_used(), before);
    }
    assert_int_equal(err, MD_OK);
    assert_int_equal(ask("u", "p"), BROKER_NOT_AUTHORIZED); /* not from memory, either */
    assert_int_equal(ask("v", "q"), BROKER_ALLOW);
    assert_false(h.may(h.ctx, &c, BROKER_PUBLISH, span_str("a")));
    stop();
}

/* A verdict that was being made with the old passwords does not count. */
static void reload_voids_what_is_under_way(void **state)
{
    (void)state;
    static const struct access_listener l = {.id = 1, .passwords = &users};
    struct broker_client c = client("c", "u", "p");
    start(&l);
    assert_int_equal(h.on_connect(h.ctx, &c, NULL), BROKER_PENDING);
    assert_int_equal(reload(LINE_V, NULL, ACCESS_NOBODY), MD_OK);
    while (pool_step())
        ;
    assert_int_equal(pool.decided[0].verdict, BROKER_BUSY);
    stop();
}

static void let_in(const char *id, const char *user)
{
    struct broker_client c = client(id, user, NULL);
    assert_true(pool.n_live < sizeof pool.live / sizeof pool.live[0]);
    pool.live[pool.n_live++] = c;
    h.on_connected(h.ctx, &c);
}

static bool ended(const char *id)
{
    for (unsigned i = 0; i < pool.n_ended; i++)
        if (strcmp(pool.ended[i], id) == 0)
            return true;
    return false;
}

static void reload_disconnects_who_may_no_longer(void **state)
{
    (void)state;
    static const struct access_listener l = {
        .id = 1, .anonymous = ACCESS_EVERYBODY, .passwords = &users};
    start(&l);
    let_in("1", "u");
    let_in("2", "v");
    let_in("3", NULL);
    let_in("4", "");
    let_in("5", "u");
    pool.n_live--;
    struct broker_client gone = client("5", "u", NULL);
    h.on_disconnect(h.ctx, &gone, "it left");
    assert_int_equal(reload(LINE_V "\n" LINE_U "\n", NULL, ACCESS_EVERYBODY), MD_OK);
    assert_int_equal(pool.n_ended, 0); /* F173 */
    assert_int_equal(reload(LINE_V "\n" LINE_U2 "\n", NULL, ACCESS_EVERYBODY), MD_OK);
    assert_int_equal(pool.n_ended, 1);
    assert_true(ended("1"));
    assert_int_equal(reload(LINE_V "\n", NULL, ACCESS_NOBODY), MD_OK);
    assert_int_equal(pool.n_ended, 3);
    assert_true(ended("3") && ended("4"));
    assert_int_equal(reload(LINE_U "\n", NULL, ACCESS_NOBODY), MD_OK);
    assert_int_equal(pool.n_ended, 4);
    assert_true(ended("2"));
    /* Let in without passwords, then there are some. */
    assert_int_equal(reload(NULL, NULL, ACCESS_EVERYBODY), MD_OK);
    let_in("6", "u");
    let_in("7", NULL);
    assert_int_equal(reload(LINE_U "\n", NULL, ACCESS_EVERYBODY), MD_OK);
    assert_int_equal(pool.n_ended, 5);
    assert_true(ended("6"));
    mem_fail_after(1); /* who cannot be kept in view is not kept */
    let_in("8", NULL); /* takes no memory */
    let_in("9", "u");
    mem_fail_after(-1);
    assert_false(ended("8"));
    assert_true(ended("9"));
    stop();
}

static void bad_files_at_the_start(void **state)
{
    (void)state;
    static const struct access_file file = {"rights", {(const uint8_t *)"topic", 5}};
    static const struct access_listener l = {.id = 1, .passwords = &users, .acl = &file};
    struct access_config cfg = {&l, 1, NULL};
    struct broker_hooks none = {.ctx = NULL};
    struct access_work work = {pool_run, &pool};
    fake_env_init(&fake);
    struct rules *r;
    assert_int_equal(access_read(&r, &cfg, &fake.env, why), MD_INVAL);
    assert_non_null(strstr(why, "rights:1: "));
    assert_int_equal(access_new(&a, &cfg, &none, work, &fake.env, why), MD_INVAL);
    cfg.n = 0;
    assert_int_equal(access_read(&r, &cfg, &fake.env, why), MD_OK);
    access_drop(r);
    int err = MD_NOMEM;
    cfg = (struct access_config){
        &(struct access_listener){.passwords = &users, .auto_id_prefix = "x"}, 1, "p"};
    for (long n = 1; err == MD_NOMEM && n < 100; n++) {
        mem_fail_after(n);
        err = access_new(&a, &cfg, &none, work, &fake.env, why);
        mem_fail_after(-1);
        if (err == MD_NOMEM)
            assert_int_equal(mem_used(), 0);
    }
    assert_int_equal(err, MD_OK);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_inner_verdict_stands),
        cmocka_unit_test(other_questions_go_to_the_inner_hooks),
        cmocka_unit_test(without_passwords),
        cmocka_unit_test(with_passwords),
        cmocka_unit_test(client_ids),
        cmocka_unit_test(other_names),
        cmocka_unit_test(each_listener_by_its_own),
        cmocka_unit_test(nobody_writes_sys),
        cmocka_unit_test(passwords_are_remembered),
        cmocka_unit_test(the_memory_has_an_end),
        cmocka_unit_test(the_queue_has_an_end),
        cmocka_unit_test(nobody_waits_when_the_server_stops),
        cmocka_unit_test(no_memory_is_not_a_wrong_password),
        cmocka_unit_test(reload_is_all_or_nothing),
        cmocka_unit_test(reload_voids_what_is_under_way),
        cmocka_unit_test(reload_disconnects_who_may_no_longer),
        cmocka_unit_test(bad_files_at_the_start),
    };
    log_set_sink(pool_log, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
