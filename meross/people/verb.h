/* verb.h - one request to <base>/broker/request/<verb>, as the functions behind the verbs see
 * it. */
#ifndef MEROSS_VERB_H
#define MEROSS_VERB_H

#include "meross/people/answer.h"

#define VERB_REF_MAX 64 /* bytes of a name, uuid or MAC */

struct verb_request {
    struct meross *m;
    struct answer answer;
    struct json_at root; /* missing when there was no JSON */
};

/* The plug that "plug" refers to, or NULL, which has been answered. */
struct device *verb_find(struct verb_request *r);

/* The plug whose "uuid" stands in the request; *d is NULL when nobody knows it.  False: there is no
 * uuid, which has been answered. */
bool verb_uuid(struct verb_request *r, struct device **d);

/* {"name":"new","was":"old"}; was may be NULL. */
void verb_answer_name(struct verb_request *r, const char *name, const char *was);

/* Forgets a plug: its connection, its topics, its record. */
void verb_forget_device(struct meross *m, struct device *d);

void verb_raw(struct verb_request *r); /* control_raw.c */
/* control_part.c: a channel or a sub-device of d gets a name. */
void verb_rename_part(struct verb_request *r, struct device *d, const char *name);

/* control_key.c */
void verb_key(struct verb_request *r);
void verb_unkey(struct verb_request *r);
void verb_doctor(struct verb_request *r); /* control_doctor.c */

void verb_timer(struct verb_request *r);  /* control_timer.c  */

/* control_energy.c */
void verb_power(struct verb_request *r);
void verb_energy(struct verb_request *r);
/* control_pairing.c */
void verb_move(struct verb_request *r);
void verb_unbind(struct verb_request *r);
void verb_arrival(struct verb_request *r);
void unbind_end(struct meross *m); /* what waits is answered */

#endif
