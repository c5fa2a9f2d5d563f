/* json_check.h - is this text JSON, and how large would it be?  Pure.
 *
 * The tokenizer behind json.h forgives much (`{"a" "b",,}`), and what it forgives could
 * make a plug reboot, so this stricter check always comes first.  Not recursive. */
#ifndef MEROSS_JSON_CHECK_H
#define MEROSS_JSON_CHECK_H

#include "broker/base/err.h"
#include "broker/base/span.h"

#define JSON_TEXT_MAX   (64u * 1024u) /* bytes             */
#define JSON_TOKENS_MAX 4096u         /* values and names  */
#define JSON_DEPTH_MAX  32u           /* nested { and [    */

/* One JSON object or list with nothing but white space around it  [RFC 8259].  Bytes >= 0x80 in
 * strings are not looked at.
 *
 * *tokens  names, strings, numbers, literals, objects and lists in it.
 * Errors: MD_PROTO, MD_TOOBIG past one of the limits above. */
MD_MUST_USE int json_check(struct span text, unsigned *tokens);

/* The same with other limits for bytes and tokens. */
MD_MUST_USE int json_check_within(struct span text, size_t max_bytes, unsigned max_tokens,
                                  unsigned *tokens);

/* Does a text end before it is complete, while all of it is good so far?  So look the answers that
 * a plug without memory cuts off. */
bool json_cut_off(struct span text);

#endif
