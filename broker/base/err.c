#include "broker/base/err.h"

#include <errno.h>

const char *md_err_name(int err)
{
    switch (err) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return "MD_" #name;
        MD_ERR_MAP(X)
#undef X
    }
    return "MD_UNKNOWN";
}

const char *md_err_text(int err)
{
    switch (err) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return text;
        MD_ERR_MAP(X)
#undef X
    }
    return "unknown error";
}

const char *md_errno_step(int why)
{
    switch (why) {
    case ENOSPC:
    case EDQUOT:
        return "; make room on that disk";
    case EROFS:
        return "; mount it read-write (mount -o remount,rw), or choose another place";
    case EACCES:
    case EPERM:
        return "; run it as the owner of that folder or as root, or choose another place";
    case ENOENT:
        return "; make its folder first, or look at the name";
    case EIO:
        return "; the disk fails: see what the kernel says (dmesg)";
    case EBUSY:
        return "; it is a mount point: choose another place";
    case EMFILE:
        return "; let it open more files (ulimit -n, or LimitNOFILE= of its unit)";
    default:
        return "";
    }
}
