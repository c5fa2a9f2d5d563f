/* Running text in lines of at most 80 columns. */
#include "tools/wrap.h"

#include "tests/unit/cmocka.h"

#include <string.h>

#define FORTY "1234567890123456789012345678901234567 40"

static void wraps(unsigned column, const char *begin, const char *text, const char *wanted)
{
    static char seen[1024];
    FILE *out = fmemopen(seen, sizeof seen, "w");
    assert_non_null(out);
    wrap_text(out, column, begin, text);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(seen, wanted);
}

static void lines_are_broken_at_blanks(void **state)
{
    (void)state;
    wraps(0, "", "", "");
    wraps(0, "", "a b", "a b\n");
    wraps(1, "", FORTY FORTY " c", FORTY "1234567890123456789012345678901234567\n40 c\n");
    wraps(0, "# ", FORTY FORTY " c", FORTY FORTY "\n# c\n"); /* 80 columns are all there are */
    wraps(41, "", FORTY, "1234567890123456789012345678901234567\n40\n");
    wraps(40, "", FORTY, FORTY "\n");
    wraps(0, "", FORTY FORTY "  c", FORTY FORTY "\nc\n"); /* two blanks behind a sentence */
}

static void what_cannot_be_broken_is_whole(void **state)
{
    static const char word[] = "merossd/" FORTY "/"; /* the only blank is far behind */
    (void)state;
    wraps(78, "    ", "abc de", "abc\n    de\n");
    wraps(200, "", word, "merossd/1234567890123456789012345678901234567\n40/\n");
}

static void newlines_and_columns_stay(void **state)
{
    (void)state;
    wraps(0, "> ", "a\nb\n", "a\n> b\n> ");
    wraps(0, "", FORTY FORTY "   c\nd", FORTY FORTY "   c\nd\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_broken_at_blanks),
        cmocka_unit_test(what_cannot_be_broken_is_whole),
        cmocka_unit_test(newlines_and_columns_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
