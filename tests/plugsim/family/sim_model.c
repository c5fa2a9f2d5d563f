#include "tests/plugsim/family/sim_model.h"

#include <stdio.h>

#define FILE_MAX (64u << 10)
#define LIKE_MAX 6 /* how many models one may be like, one on the other */

static int corrupt(const char *name, const char *why)
{
    (void)fprintf(stderr, "plugsim: models/%s.json: %s\n", name, why);
    return MD_CORRUPT;
}

static int read_file(const char *name, struct buf *out)
{
    char path[512];
    if (strchr(name, '/') != NULL)
        return MD_NOENT;
    (void)snprintf(path, sizeof path, "%s/%s.json", SIMPLUG_MODELS, name);
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return MD_NOENT;
    int err = buf_reserve(out, FILE_MAX);
    if (err == MD_OK)
        out->n = fread(out->p, 1, FILE_MAX, f);
    (void)fclose(f);
    return err;
}

static int read_tree(const char *name, struct sim_tree **out)
{
    struct buf text;
    buf_init(&text, FILE_MAX);
    int err = read_file(name, &text);
    if (err == MD_OK)
        err = sim_tree_parse(buf_view(&text), out);
    buf_free(&text);
    return err == MD_PROTO ? corrupt(name, "it is no JSON object") : err;
}

/* Lays `over` on what it is like; takes it, and gives the whole in its place. */
static int lay_over(struct sim_tree *base, struct sim_tree *over, struct sim_tree **out)
{
    const struct sim_tree *without = sim_tree_get(over, "without");
    struct sim_tree *ability = sim_tree_get(base, "ability");
    for (const struct sim_tree *w = without != NULL ? without->child : NULL; w != NULL; w = w->next)
        sim_tree_drop(ability, sim_tree_get(ability, sim_tree_text(w)));
    if (sim_tree_get(over, "digest") != NULL) /* a digest is as a whole */
        sim_tree_drop(base, sim_tree_get(base, "digest"));
    int err = sim_tree_merge(base, over);
    sim_tree_free(over);
    *out = base;
    return err;
}

static int read_whole(const char *name, int depth, struct sim_tree **out)
{
    struct sim_tree *base = NULL;
    int err = read_tree(name, out);
    const struct sim_tree *like = err == MD_OK ? sim_tree_get(*out, "like") : NULL;
    if (like == NULL)
        return err;
    err = depth < LIKE_MAX ? read_whole(sim_tree_text(like), depth + 1, &base) : MD_NOENT;
    if (err == MD_NOENT)
        err = corrupt(name, "it is like one that is not there");
    if (err != MD_OK) {
        sim_tree_free(base);
        return err;
    }
    return lay_over(base, *out, out);
}

int sim_model_load(const char *name, struct sim_model *out)
{
    *out = (struct sim_model){.root = NULL};
    int err = read_whole(name, 0, &out->root);
    out->ability = sim_tree_get(out->root, "ability");
    out->spaces = sim_tree_get(out->root, "namespaces");
    out->digest = sim_tree_get(out->root, "digest");
    if (err == MD_OK && !sim_tree_is(out->ability, SIM_TREE_OBJECT))
        err = corrupt(name, "without `ability`");
    if (err != MD_OK)
        sim_model_free(out);
    return err;
}

void sim_model_free(struct sim_model *m)
{
    sim_tree_free(m->root);
    *m = (struct sim_model){.root = NULL};
}

static bool lists(const struct sim_model *m, const char *ns)
{
    return sim_tree_get(m->ability, ns) != NULL;
}

int sim_model_options(const struct sim_model *m, struct simplug_options *o)
{
    o->clock_ability = lists(m, "Appliance.System.Clock");
    o->metering = lists(m, "Appliance.Control.Electricity");
    o->old_toggle = lists(m, "Appliance.Control.Toggle") && !lists(m, "Appliance.Control.ToggleX");
    o->wifix = lists(m, "Appliance.Config.WifiX");
    o->ecdhe = lists(m, "Appliance.Encrypt.ECDHE");
    const struct sim_tree *options = sim_tree_get(m->root, "options");
    for (const struct sim_tree *c = options != NULL ? options->child : NULL; c != NULL;
         c = c->next) {
        char assignment[160];
        (void)snprintf(assignment, sizeof assignment, "%s=%s", c->key, sim_tree_text(c));
        if (simplug_options_set(o, assignment) != MD_OK)
            return corrupt(o->model, assignment);
    }
    return MD_OK;
}
