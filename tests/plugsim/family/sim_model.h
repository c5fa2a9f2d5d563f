/* sim_model.h - what a model of device is: a file of tests/plugsim/models, in our own words.
 *
 * {"about": "...",
 *  "like":       "mss310-6.3.21"         begins as that one; what follows is laid over it
 *  "without":    ["Appliance.System.Clock", ...]      abilities that it has not got from there
 *  "options":    {"type": "mss310", ...}   names and values of simplug_options.h
 *  "ability":    {"Appliance.System.All": {}, ...}   what System.Ability tells
 *  "digest":     {"light": "Appliance.Control.Light", "togglex": ["Appliance.Control.ToggleX"]}
 *                a namespace as a value: what it holds, as an object, or as a list in brackets
 *  "loads":      [12345, ...]              milliwatts on channels 0, 1, ...
 *  "announce":   [{"namespace": ..., "method": "PUSH", "payload": {...}, "until": "PUSH"}]
 *                said when it is bound, again every 5 s until it is answered with that method
 *  "namespaces": {"Appliance.Control.Light": {...}}  see sim_space.h */
#ifndef TESTS_PLUGSIM_FAMILY_SIM_MODEL_H
#define TESTS_PLUGSIM_FAMILY_SIM_MODEL_H

#include "tests/plugsim/family/sim_tree.h"
#include "tests/plugsim/simplug_options.h"

struct sim_model {
    struct sim_tree *root;                      /* owned */
    struct sim_tree *ability, *spaces, *digest; /* lent by root; may be NULL */
};

/* name  a file there without ".json".  Errors: MD_NOENT no such file; MD_CORRUPT it is no model,
 * after a line on standard error; MD_NOMEM. */
MD_MUST_USE int sim_model_load(const char *name, struct sim_model *out);
void sim_model_free(struct sim_model *m);

/* Sets what the model says of the options.  Errors: MD_CORRUPT as above. */
MD_MUST_USE int sim_model_options(const struct sim_model *m, struct simplug_options *o);

#endif
