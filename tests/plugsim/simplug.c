#include "tests/plugsim/simplug_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/base/check.h"
#include "broker/base/mem.h"

#define CONNACK_MS 10000u
#define HANGUP_MS  15000u
#define REBOOT_MS  3000u
#define BINDS      3u
#define UNSET_S    4 /* what its clock shows right after the boot, sheet 1.4 */

void simplug_event(struct simplug *p, const char *what, const char *fmt, ...)
{
    char detail[200];
    va_list ap;
    if (p->on_event == NULL)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    p->on_event(p->on_event_ctx, what, detail);
}

void simplug_violate(struct simplug *p, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (p->n_violations < SIMPLUG_KEPT_VIOLATIONS)
        p->violation[p->n_violations] = mem_strdup(text);
    p->n_violations++;
    simplug_event(p, "violation", "%s", text);
}

const char *simplug_led_name(enum simplug_led led)
{
    switch (led) {
    case SIMPLUG_LED_BLINKING_GREEN:
        return "blinking_green";
    case SIMPLUG_LED_SOLID_GREEN:
        return "solid_green";
    case SIMPLUG_LED_SOLID_AMBER:
        return "solid_amber";
    case SIMPLUG_LED_AMBER_GREEN:
        return "amber_green";
    }
    return "off";
}

void simplug_led(struct simplug *p, enum simplug_led led)
{
    if (p->st.led == led)
        return;
    p->st.led = led;
    simplug_event(p, "led", "%s", simplug_led_name(led));
}

/* xorshift64*: the same plug says the same bytes in every run. */
static uint64_t next_random(struct simplug *p)
{
    p->rng ^= p->rng >> 12;
    p->rng ^= p->rng << 25;
    p->rng ^= p->rng >> 27;
    return p->rng * 0x2545F4914F6CDD1DULL;
}

void simplug_hex(struct simplug *p, char out[33])
{
    uint64_t high = next_random(p);
    (void)snprintf(out, 33, "%016llx%016llx", (unsigned long long)high,
                   (unsigned long long)next_random(p));
}

static void new_tail(struct simplug *p)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < sizeof p->tail - 1; i++)
        p->tail[i] = letters[next_random(p) % (sizeof letters - 1)];
    p->tail[sizeof p->tail - 1] = '\0';
}

int64_t simplug_true_ms(const struct simplug *p, uint64_t now)
{
    return (int64_t)now + p->opt.wall_offset_ms;
}

int64_t simplug_device_ms(const struct simplug *p, uint64_t now)
{
    return (int64_t)now + p->clock_offset_ms;
}

static void stop_timers(struct simplug *p)
{
    p->connack_by = p->bind_at = p->hangup_at = p->clock_at = SIMPLUG_NEVER;
    p->pong_by = p->die_at = p->meter_push_at = SIMPLUG_NEVER;
}

/* Everything that a loss of power forgets; relays, zone and rules are in its flash. */
static void boot(struct simplug *p, uint64_t now)
{
    p->boot_at = now;
    p->st.clock = p->opt.ntp;
    p->clock_offset_ms = p->opt.ntp ? p->opt.wall_offset_ms : UNSET_S * 1000 - (int64_t)now;
    p->bound_before = p->st.bound = p->st.session = p->st.config = p->st.dead = false;
    p->packet_id = 0;
    p->give_up_at = SIMPLUG_NEVER;
    sim_alarm_clear(p);
    p->meter_push_at = SIMPLUG_NEVER;
    memset(p->seen, 0, sizeof p->seen);
    new_tail(p);
    stop_timers(p);
    simplug_hear_reset(p);
    simplug_led(p, p->pairing ? SIMPLUG_LED_AMBER_GREEN : SIMPLUG_LED_BLINKING_GREEN);
}

int simplug_new(const struct simplug_options *options, uint64_t now, struct simplug **out)
{
    if (options->uuid[0] == '\0' || options->mac[0] == '\0' || options->channels < 1 ||
        options->channels > SIMPLUG_MAX_CHANNELS)
        return MD_INVAL;
    struct simplug *p = mem_alloc(sizeof *p);
    if (p == NULL)
        return MD_NOMEM;
    p->opt = *options;
    int err = sim_model_load(options->model, &p->model);
    if (err != MD_OK) {
        mem_free(p);
        return err;
    }
    p->rng = options->seed | 1u << 31;
    buf_init(&p->in, SIMPLUG_IN_MAX);
    buf_init(&p->out, SIMPLUG_OUT_MAX);
    buf_init(&p->work, SIMPLUG_JSON_MAX);
    buf_init(&p->message, SIMPLUG_JSON_MAX);
    p->connect_at = now + options->boot_ms;
    p->pairing = options->ap;
    sim_setup_reset(p);
    sim_meter_init(p, now);
    boot(p, now);
    *out = p;
    return MD_OK;
}

void simplug_free(struct simplug *p)
{
    if (p == NULL)
        return;
    simplug_hear_reset(p);
    sim_alarm_clear(p);
    sim_timers_clear(p);
    sim_model_free(&p->model);
    buf_free(&p->in);
    buf_free(&p->out);
    buf_free(&p->work);
    buf_free(&p->message);
    for (size_t i = 0; i < SIMPLUG_KEPT_VIOLATIONS; i++)
        mem_free(p->violation[i]);
    mem_free(p);
}

void simplug_watch(struct simplug *p, simplug_event_cb cb, void *ctx)
{
    p->on_event = cb;
    p->on_event_ctx = ctx;
}

bool simplug_wants_connect(const struct simplug *p, uint64_t now)
{
    return p->link == SIMPLUG_DOWN && !p->st.dead && !p->pairing && now >= p->connect_at;
}

void simplug_connected(struct simplug *p, uint64_t now)
{
    MD_ASSERT(p->link == SIMPLUG_DOWN);
    buf_consume(&p->in, p->in.n);
    buf_consume(&p->out, p->out.n);
    simplug_wire_reset(p);
    simplug_hear_reset(p);
    stop_timers(p);
    p->link = SIMPLUG_WAIT_CONNACK;
    p->abrupt = p->broken = p->st.config = false;
    p->connected_at = now;
    p->connack_by = now + CONNACK_MS;
    p->st.connects++;
    simplug_event(p, "connected", "%s", "");
    simplug_wire_connect(p, now);
}

void simplug_connect_failed(struct simplug *p, uint64_t now)
{
    p->connect_at = now + p->opt.retry_ms;
    sim_setup_failed(p);
}

/* Has it heard everything it needs (sheet 4.1 to 4.4)? */
static bool satisfied(const struct simplug *p)
{
    return p->st.bound && (p->st.clock || !p->opt.clock_ability) &&
           (p->st.config || !p->opt.config_needed);
}

/* Sheet 4.1: nothing works before the Bind is answered; firmware 1.1 wants no answer (4.2). */
bool simplug_listens(const struct simplug *p)
{
    return p->st.session && (p->st.bound || p->opt.bind_as_push);
}

void simplug_bound(struct simplug *p, uint64_t now)
{
    if (p->st.bound)
        return;
    p->st.bound = p->bound_before = true;
    p->st.bound_ms = now - p->connected_at;
    p->bind_at = SIMPLUG_NEVER;
    simplug_event(p, "bound", "%u.%03u", (unsigned)(p->st.bound_ms / 1000),
                  (unsigned)(p->st.bound_ms % 1000));
    simplug_led(p, SIMPLUG_LED_SOLID_GREEN);
    sim_alarm_announce(p, now);
    if (p->opt.meter_push_s > 0)
        p->meter_push_at = now + p->opt.meter_push_s * 1000u;
}

void simplug_review(struct simplug *p, uint64_t now)
{
    /* Firmware 1.1 waits for the clock only (sheet 4.2). */
    if (p->opt.bind_as_push && (p->st.clock || !p->opt.clock_ability))
        simplug_bound(p, now);
    if (p->st.bound && (p->st.config || !p->opt.config_needed))
        p->hangup_at = SIMPLUG_NEVER;
    if (satisfied(p))
        p->give_up_at = SIMPLUG_NEVER;
}

void simplug_session(struct simplug *p, uint64_t now)
{
    p->link = SIMPLUG_UP;
    p->connack_by = SIMPLUG_NEVER;
    p->st.session = true;
    p->st.sessions++;
    simplug_event(p, "session", "%s", "");
    if (p->opt.silent_after_ms > 0)
        p->die_at = now + p->opt.silent_after_ms;
    simplug_wire_subscribe(p, now);
    simplug_say_report(p, now);
    p->hangup_at = p->opt.bind_as_push ? SIMPLUG_NEVER : p->connected_at + HANGUP_MS;
    if (p->give_up_at == SIMPLUG_NEVER && p->opt.give_up_ms > 0)
        p->give_up_at = p->connected_at + p->opt.give_up_ms;
    if (p->opt.bind_each_connect || !p->bound_before) {
        p->bind_id[0] = '\0';
        simplug_say_bind(p, now);
        p->binds_left = p->opt.bind_as_push ? 0 : BINDS - 1;
        p->bind_at = p->binds_left > 0 ? now + SIMPLUG_BIND_MS : SIMPLUG_NEVER;
    } else {
        simplug_bound(p, now);
    }
    if (p->opt.clock_ability && !p->st.clock) {
        simplug_say_clock(p, now);
        p->clock_at = now + SIMPLUG_CLOCK_MS;
    }
    if (p->opt.metering && !p->opt.bind_as_push)
        simplug_say_config(p, now);
    simplug_review(p, now);
}

static void close_link(struct simplug *p, bool abrupt)
{
    if (p->link == SIMPLUG_DOWN)
        return;
    p->link = SIMPLUG_CLOSING;
    p->abrupt = abrupt;
    if (abrupt)
        buf_consume(&p->out, p->out.n);
    stop_timers(p);
    simplug_hear_reset(p);
}

void simplug_lose(struct simplug *p, const char *why, uint64_t now)
{
    simplug_event(p, "disconnect", "%s", why);
    p->connect_at = now + p->opt.retry_ms;
    close_link(p, true);
}

void simplug_hang_up(struct simplug *p, const char *why, uint64_t back_at, uint64_t now)
{
    p->connect_at = back_at;
    if (p->link == SIMPLUG_DOWN)
        return;
    simplug_event(p, "disconnect", "%s", why);
    if (p->link == SIMPLUG_UP)
        simplug_wire_disconnect(p, now);
    close_link(p, p->link != SIMPLUG_UP);
}

void simplug_give_up(struct simplug *p, uint64_t now)
{
    p->pairing = true;
    p->give_up_at = SIMPLUG_NEVER;
    p->opt.key[0] = '\0';
    p->opt.user_id = 0;
    sim_setup_reset(p);
    simplug_event(p, "pairing", "%s", "");
    simplug_led(p, SIMPLUG_LED_AMBER_GREEN);
    if (p->link == SIMPLUG_UP) {
        simplug_wire_disconnect(p, now);
        close_link(p, false);
    } else if (p->link == SIMPLUG_WAIT_CONNACK) {
        close_link(p, true);
    }
}

void simplug_power_cycle(struct simplug *p, uint64_t now)
{
    p->st.reboots++;
    simplug_event(p, "reboot", "%s", "");
    p->connect_at = now + REBOOT_MS + p->opt.boot_ms;
    close_link(p, true);
    boot(p, now);
}

void simplug_malformed(struct simplug *p, const char *why, uint64_t now)
{
    simplug_violate(p, "%s", why);
    if (!p->opt.reboot_on_malformed)
        return;
    simplug_event(p, "relay", "%s", "0 clicks");
    simplug_power_cycle(p, now);
}

void simplug_die(struct simplug *p)
{
    p->st.dead = true;
    stop_timers(p);
    p->give_up_at = SIMPLUG_NEVER;
    buf_consume(&p->out, p->out.n);
    simplug_event(p, "dead", "%s", "");
}

void simplug_closed(struct simplug *p, uint64_t now)
{
    if (p->link == SIMPLUG_DOWN)
        return;
    if (p->link != SIMPLUG_CLOSING)
        p->connect_at = now + p->opt.retry_ms;
    p->link = SIMPLUG_DOWN;
    p->st.session = p->st.bound = false;
    stop_timers(p);
    simplug_hear_reset(p);
    simplug_event(p, "closed", "%s", "");
    if (p->bound_before && !p->pairing && !p->st.dead)
        simplug_led(p, SIMPLUG_LED_SOLID_AMBER);
}

void simplug_feed(struct simplug *p, struct span bytes, uint64_t now)
{
    if (p->st.dead || p->link == SIMPLUG_DOWN || p->link == SIMPLUG_CLOSING)
        return;
    if (buf_put(&p->in, bytes) != MD_OK)
        simplug_lose(p, "received more than it can hold", now);
    else
        simplug_wire_read(p, now);
    if (p->broken)
        simplug_lose(p, "out of memory", now);
}

struct span simplug_output(const struct simplug *p)
{
    struct span s = buf_view(&p->out);
    if (p->opt.fragment > 0 && s.n > p->opt.fragment)
        s.n = p->opt.fragment;
    return s;
}

void simplug_sent(struct simplug *p, size_t n) { buf_consume(&p->out, n); }

bool simplug_wants_close(const struct simplug *p)
{
    return p->link == SIMPLUG_CLOSING && (p->abrupt || p->out.n == 0);
}

void simplug_button(struct simplug *p, unsigned channel, uint64_t now)
{
    unsigned changed = 0;
    if (p->st.dead || channel >= p->opt.channels)
        return;
    (void)simplug_switch(p, channel, !p->st.relay[channel], "button", now, &changed);
    /* Without a Bind the button works and nothing is told (sheet 4.1). */
    if (simplug_listens(p) && p->link == SIMPLUG_UP)
        simplug_say_relays(p, changed, now);
}

void simplug_set_wall(struct simplug *p, int64_t wall_offset_ms)
{
    p->opt.wall_offset_ms = wall_offset_ms;
}

const struct simplug_status *simplug_status(const struct simplug *p) { return &p->st; }

const struct simplug_options *simplug_options_of(const struct simplug *p) { return &p->opt; }

size_t simplug_violations(const struct simplug *p) { return p->n_violations; }

const char *simplug_violation(const struct simplug *p, size_t i)
{
    return i < SIMPLUG_KEPT_VIOLATIONS && p->violation[i] != NULL ? p->violation[i] : "";
}
