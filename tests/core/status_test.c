#include <criterion/criterion.h>

#include "core/status.h"

Test(status, every_status_has_a_text_of_its_own)
{
    const enum status all[] = {
#define X(name, text) STATUS_##name,
        STATUS_LIST(X)
#undef X
    };
    size_t count = sizeof all / sizeof all[0];
    for (size_t i = 0; i < count; i++) {
        cr_assert_str_not_empty(status_text(all[i]));
        cr_assert_str_neq(status_text(all[i]), "unknown status");
        for (size_t k = 0; k < i; k++)
            cr_assert_str_neq(status_text(all[i]), status_text(all[k]));
    }
}

Test(status, ok_is_zero_and_a_foreign_value_has_a_text)
{
    cr_assert_eq((int)STATUS_OK, 0);
    cr_assert_str_eq(status_text(STATUS_OK), "ok");
    cr_assert_str_eq(status_text((enum status)9999), "unknown status");
}
