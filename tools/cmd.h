/* cmd.h - the verbs of merossd: `merossd VERB [words] [options]`.  The table is in verbs.c; a new
 * verb is a row there and a function here. */
#ifndef TOOLS_CMD_H
#define TOOLS_CMD_H

#include "tools/cli.h"

struct cmd {
    const char *name;  /* "on"                                                  */
    const char *words; /* what stands behind it: "PLUG"; "" for nothing         */
    const char *help;  /* one line for `merossd help`                           */
    const char *more;  /* further lines for `merossd help on`; NULL: none       */
    unsigned groups;   /* or'ed enum args_group                                 */
    unsigned min_words, max_words;
    int (*run)(struct cli *c); /* the exit status, enum cli_exit */
};

const struct cmd *verbs_at(size_t i);           /* NULL after the last; lent, static */
const struct cmd *verbs_find(const char *name); /* NULL: no such verb                */

/* Says that it is no verb, and which one it is like.  Returns CLI_USAGE. */
int verbs_none(struct cli *c, const char *name);

int verbs_main(int argc, char **argv, FILE *in, FILE *out, FILE *err); /* the program */

int cmd_serve(struct cli *c);    /* cmd_serve.c: the broker; the composition root  */
int cmd_list(struct cli *c);     /* cmd_list.c                                     */
int cmd_show(struct cli *c);     /* cmd_show.c                                     */
int cmd_on(struct cli *c);       /* cmd_switch.c                                   */
int cmd_off(struct cli *c);      /* cmd_switch.c                                   */
int cmd_toggle(struct cli *c);   /* cmd_switch.c                                   */
int cmd_set(struct cli *c);      /* cmd_set.c                                      */
int cmd_rename(struct cli *c);   /* cmd_registry.c                                 */
int cmd_forget(struct cli *c);   /* cmd_registry.c                                 */
int cmd_permit(struct cli *c);   /* cmd_registry.c                                 */
int cmd_timer(struct cli *c);    /* cmd_timer.c                                    */
int cmd_passwd(struct cli *c);   /* cmd_passwd.c                                   */
int cmd_watch(struct cli *c);    /* cmd_watch.c                                    */
int cmd_clients(struct cli *c);  /* cmd_clients.c                                  */
int cmd_power(struct cli *c);    /* cmd_power.c                                    */
int cmd_energy(struct cli *c);   /* cmd_energy.c                                   */
int cmd_pair(struct cli *c);     /* cmd_pair.c                                     */
int cmd_adopt(struct cli *c);    /* cmd_adopt.c                                    */
int cmd_move_all(struct cli *c); /* cmd_move.c                                     */
int cmd_unbind(struct cli *c);   /* cmd_unbind.c                                   */
int cmd_cert(struct cli *c);     /* cmd_cert.c                                     */
int cmd_check(struct cli *c);    /* cmd_check.c                                    */
int cmd_import(struct cli *c);   /* cmd_import.c                                   */
int cmd_backup(struct cli *c);   /* cmd_backup.c                                   */
int cmd_restore(struct cli *c);  /* cmd_restore.c                                  */
int cmd_raw(struct cli *c);      /* cmd_raw.c                                      */
int cmd_doctor(struct cli *c);   /* cmd_doctor.c                                   */
int cmd_help(struct cli *c);     /* cmd_help.c                                     */

#endif
