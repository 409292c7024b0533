#include "bench/day/form.h"

const struct form *form_of(enum day_kind kind)
{
    static const struct form *const forms[KIND_COUNT] = {
        [KIND_CEB311] = &form_ceb311,         [KIND_CEB312] = &form_ceb312,
        [KIND_CEB411] = &form_ceb411,         [KIND_CEB412] = &form_ceb412,
        [KIND_CEB511] = &form_ceb511,         [KIND_CEB512] = &form_ceb512,
        [KIND_CEB621] = &form_ceb621,         [KIND_CEB622] = &form_ceb622,
        [KIND_KJ881111] = &form_kj881111,     [KIND_KJ881112] = &form_kj881112,
        [KIND_KJ881113] = &form_kj881113,     [KIND_KJDOCREC] = &form_kjdocrec,
        [KIND_CUSCAR] = &form_cuscar,         [KIND_CUSDEC] = &form_cusdec,
        [KIND_CUSRES] = &form_cusres,         [KIND_DECLARATION] = &form_declaration,
        [KIND_DECLSTATUS] = &form_declstatus,
    };
    return forms[kind];
}

enum day_dialect form_dialect(enum day_kind kind)
{
    static const uint8_t dialects[KIND_COUNT] = {
#define X(name, dialect) DIALECT_##dialect,
        DAY_KIND_LIST(X)
#undef X
    };
    return (enum day_dialect)dialects[kind];
}

const char *form_message_type(enum day_kind kind)
{
    static const char *const types[KIND_COUNT] = {
#define X(name, dialect) #name,
        DAY_KIND_LIST(X)
#undef X
    };
    return types[kind];
}
