/* base64.h - bytes as base64 without line ends, and back  [RFC 4648 4].  Pure. */
#ifndef MEROSS_BASE64_H
#define MEROSS_BASE64_H

#include "broker/base/buf.h"

/* Characters that n bytes become, without a NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Appends to *out, padded with '='; never a line end, because plugs take one for a part of the
 * text.  Errors: those of the buf, which is then as before. */
MD_MUST_USE int base64_write(struct buf *out, struct span bytes);

/* Appends what `text` stands for.  White space at its ends is ignored, and so is missing padding.
 * Errors: MD_PROTO a character that is none of base64, or a length nothing encodes to; those of
 *         the buf.  The buf is then as before. */
MD_MUST_USE int base64_read(struct buf *out, struct span text);

#endif
