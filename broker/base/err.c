#include "broker/base/err.h"

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
