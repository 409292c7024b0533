/* The forms of the generated messages: one per message type, in the file of its dialect (form_ceb.c
 * and its sisters). A form's texts are sources for bench/day/template.h; `$variant$` is one of its
 * variants, and the e-port's own constants are `$name$`, `$code$`, `$company$`, `$dxp$`,
 * `$station$`, `$locode$`, `$prefix$`. */
#ifndef KOUAN_BENCH_FORM_H
#define KOUAN_BENCH_FORM_H

#include <stdint.h>

#include "bench/day/eport.h"

/* In the order of the dialects. */
#define DAY_KIND_LIST(X)                                                                           \
    X(CEB311, CEB)                                                                                 \
    X(CEB312, CEB)                                                                                 \
    X(CEB411, CEB)                                                                                 \
    X(CEB412, CEB)                                                                                 \
    X(CEB511, CEB)                                                                                 \
    X(CEB512, CEB)                                                                                 \
    X(CEB621, CEB)                                                                                 \
    X(CEB622, CEB)                                                                                 \
    X(KJ881111, KJ)                                                                                \
    X(KJ881112, KJ)                                                                                \
    X(KJ881113, KJ)                                                                                \
    X(KJDOCREC, KJ)                                                                                \
    X(CUSCAR, EDIFACT)                                                                             \
    X(CUSDEC, EDIFACT)                                                                             \
    X(CUSRES, EDIFACT)                                                                             \
    X(DECLARATION, JSON)                                                                           \
    X(DECLSTATUS, JSON)

enum day_kind {
#define X(name, dialect) KIND_##name,
    DAY_KIND_LIST(X)
#undef X
        KIND_COUNT
};

enum { FORM_VARIANTS_MAX = 3, FORM_ENTRIES_MAX = 8 };

/* What a form's variants mean. */
enum form_variants {
    VARIANTS_NONE,
    VARIANTS_FUNCTION, /* original, change, cancel: such a message has an id of its sender, which
                          may come again with other bytes */
    VARIANTS_STATUS    /* stored or received, accepted, released */
};
enum { FUNCTION_ORIGINAL, FUNCTION_CHANGE, FUNCTION_CANCEL };
enum { STATUS_STORED, STATUS_ACCEPTED, STATUS_RELEASED };

struct form {
    enum form_variants meaning;
    const char *variants[FORM_VARIANTS_MAX]; /* the texts of `$variant$`; NULL where none is left */
    uint8_t entries_max;                     /* 0: all of the text is head */
    const char *head, *entry, *tail;         /* entry and tail "" where entries_max is 0 */
};

extern const struct form form_ceb311, form_ceb312, form_ceb411, form_ceb412, form_ceb511,
    form_ceb512, form_ceb621, form_ceb622;
extern const struct form form_kj881111, form_kj881112, form_kj881113, form_kjdocrec;
extern const struct form form_cuscar, form_cusdec, form_cusres;
extern const struct form form_declaration, form_declstatus;

const struct form *form_of(enum day_kind kind);
enum day_dialect form_dialect(enum day_kind kind);

/* The message type, as the canonical field message_type has it: CEB311, KJDOCREC, CUSDEC. */
const char *form_message_type(enum day_kind kind);

#endif
