/* Messages that other people wrote, where they are at hand: KOUAN_CORPUS, or ../shared/corpus. Its
 * list SOURCES.md says which are well-formed, and of which type. */
#include "tests/routes/edifact_stand.h"

enum { COLUMN_COUNT = 8, COLUMN_FILE = 0, COLUMN_TYPES = 5, COLUMN_STATUS = 7 };

/* The columns of `| a | b | ... |`, each NUL-terminated, in place. False if it is no such row. */
static bool split_row(char *line, char *columns[COLUMN_COUNT])
{
    if (strncmp(line, "| edifact/", 10) != 0)
        return false;
    char *at = line + 2;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        char *end = strstr(at, " |");
        if (end == NULL)
            return false;
        *end = '\0';
        columns[i] = at;
        at = end[2] == ' ' ? end + 3 : end + 2;
    }
    return true;
}

static void check_file(struct stand *stand, const char *path, const char *type, bool well_formed)
{
    const struct plan plan = stand_plan();
    struct bytes body = body_read(path);
    struct edifact_peek peek;
    struct scan_fault fault = {0};
    cr_assert_not_null(body.data, "%s", path);
    if (well_formed) {
        cr_expect_eq(scan_edifact_peek(body, &peek, &fault), STATUS_OK, "%s: %s at %u", path,
                     fault.what, fault.offset);
        cr_expect(bytes_equal_text(peek.type, type), "%s: %.*s", path, (int)peek.type.size,
                  (const char *)peek.type.data);
    }
    enum status status = stand_scan(stand, &plan, body, &fault);
    cr_expect(status == STATUS_OK || fault.offset <= body.size, "%s", path);
    body_free(body);
}

Test(edifact_corpus, types)
{
    const char *root = getenv("KOUAN_CORPUS");
    char path[1024], line[4096], *columns[COLUMN_COUNT];
    if (root == NULL)
        root = "../shared/corpus";
    snprintf(path, sizeof path, "%s/SOURCES.md", root);
    FILE *list = fopen(path, "r");
    if (list == NULL)
        cr_skip_test("skipped: no corpus at %s", root);
    struct stand stand;
    stand_open(&stand);
    uint32_t well_formed_count = 0;
    while (fgets(line, sizeof line, list) != NULL) {
        if (!split_row(line, columns))
            continue;
        snprintf(path, sizeof path, "%s/%s", root, columns[COLUMN_FILE]);
        bool well_formed = strncmp(columns[COLUMN_STATUS], "well-formed", 11) == 0 &&
                           strpbrk(columns[COLUMN_TYPES], ",(?") == NULL;
        well_formed_count += well_formed;
        check_file(&stand, path, columns[COLUMN_TYPES], well_formed);
    }
    fclose(list);
    cr_expect(well_formed_count > 50, "%u", well_formed_count);
    stand_close(&stand);
}
