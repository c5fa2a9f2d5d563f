/* check.h - assertions for mistakes of ours, never for input of theirs.
 *
 * MD_ASSERT stays on in release builds: it logs the condition, the file and
 * the line, then aborts; the service manager restarts.  MD_DCHECK is for expensive
 * structure walks (tree and list invariants) and is compiled in with
 * -DMD_DCHECK_ON, which every test build sets. */
#ifndef BROKER_BASE_CHECK_H
#define BROKER_BASE_CHECK_H

_Noreturn void md_panic(const char *file, int line, const char *what);

#define MD_ASSERT(x) ((x) ? (void)0 : md_panic(__FILE__, __LINE__, #x))
#ifdef MD_DCHECK_ON
#define MD_DCHECK(x) MD_ASSERT(x)
#else
#define MD_DCHECK(x) ((void)0)
#endif

#endif
