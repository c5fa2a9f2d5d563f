#include "tests/plugsim/simplug_int.h"

#include <stdio.h>

#include "broker/base/mem.h"

static void end(struct sim_alarm *a)
{
    mem_free(a->payload);
    *a = (struct sim_alarm){.payload = NULL};
}

void sim_alarm_clear(struct simplug *p)
{
    for (size_t i = 0; i < SIM_ALARMS; i++)
        end(&p->alarm[i]);
}

void sim_alarm_start(struct simplug *p, const char *ns, const char *method, const char *until,
                     struct span payload, uint64_t now)
{
    size_t i = 0;
    while (i < SIM_ALARMS && p->alarm[i].ns[0] != '\0' && strcmp(p->alarm[i].ns, ns) != 0)
        i++;
    if (i == SIM_ALARMS)
        return;
    struct sim_alarm *a = &p->alarm[i];
    end(a);
    (void)snprintf(a->ns, sizeof a->ns, "%s", ns);
    (void)snprintf(a->method, sizeof a->method, "%s", method);
    (void)snprintf(a->until, sizeof a->until, "%s", until);
    a->payload = mem_alloc(payload.n + 1);
    if (a->payload == NULL) {
        end(a);
        return;
    }
    memcpy(a->payload, payload.p, payload.n);
    simplug_hex(p, a->id);
    a->due = now;
}

void sim_alarm_announce(struct simplug *p, uint64_t now)
{
    const struct sim_tree *list = sim_tree_get(p->model.root, "announce");
    for (const struct sim_tree *t = list != NULL ? list->child : NULL; t != NULL; t = t->next) {
        struct buf payload;
        buf_init(&payload, SIMPLUG_JSON_MAX);
        if (sim_tree_put(sim_tree_get(t, "payload"), &payload) == MD_OK)
            sim_alarm_start(p, sim_tree_text(sim_tree_get(t, "namespace")),
                            sim_tree_text(sim_tree_get(t, "method")),
                            sim_tree_text(sim_tree_get(t, "until")), buf_view(&payload), now);
        buf_free(&payload);
    }
}

bool sim_alarm_answered(struct simplug *p, const struct simplug_envelope *e)
{
    for (size_t i = 0; i < SIM_ALARMS; i++) {
        struct sim_alarm *a = &p->alarm[i];
        if (a->ns[0] == '\0' || strcmp(a->ns, e->ns) != 0 || strcmp(a->until, e->method) != 0 ||
            strcmp(a->id, e->id) != 0)
            continue;
        simplug_event(p, "answered", "%s", a->ns);
        p->st.answered++;
        end(a);
        return true;
    }
    return false;
}

uint64_t sim_alarm_due(const struct simplug *p)
{
    uint64_t due = SIMPLUG_NEVER;
    for (size_t i = 0; i < SIM_ALARMS && simplug_listens(p); i++) {
        if (p->alarm[i].ns[0] != '\0' && p->alarm[i].due < due)
            due = p->alarm[i].due;
    }
    return due;
}

bool sim_alarm_act(struct simplug *p, uint64_t now)
{
    for (size_t i = 0; i < SIM_ALARMS && simplug_listens(p); i++) {
        struct sim_alarm *a = &p->alarm[i];
        if (a->ns[0] == '\0' || now < a->due)
            continue;
        simplug_say_own(p, a->ns, a->method, a->id, span_str(a->payload), now);
        a->due = now + SIM_ALARM_MS;
        if (a->until[0] == '\0') /* said once */
            end(a);
        return true;
    }
    return false;
}

void simplug_alarm(struct simplug *p, const char *ns, const char *payload, uint64_t now)
{
    bool push = strstr(payload, "\"needReply\"") != NULL;
    sim_alarm_start(p, ns, push ? "PUSH" : "SET", push ? "PUSH" : "SETACK", span_str(payload), now);
}
