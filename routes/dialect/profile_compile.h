/* What the modules that turn one YAML document into one profile share. Only routes/profile_*.c
 * include this. */
#ifndef KOUAN_ROUTES_PROFILE_COMPILE_H
#define KOUAN_ROUTES_PROFILE_COMPILE_H

#include "routes/dialect/profile_plan.h"
#include "routes/yaml.h"

struct profile_compiler {
    struct arena *arena;
    const char *file;
    struct diagnostics *diagnostics;
    bool failed; /* an error was reported for the document at hand */

    enum format format;
    bool format_known; /* else paths are not looked at: they cannot be judged */
    struct plan_builder builder;
    const struct yaml_node *owners[PLAN_CLAIMS_MAX]; /* where each claim's path was written */
    uint16_t owner_count;

    struct value_spec specs[PROFILE_SPECS_MAX];
    uint16_t spec_count;
    bool has_slot[SLOT_COUNT];
};

/* Report an error at a value, at a member's name, or `offset` bytes into a text. `hint` may be
 * NULL. */
void profile_error(struct profile_compiler *compiler, const struct yaml_node *at, const char *code,
                   const char *hint, const char *format, ...) __attribute__((format(printf, 5, 6)));
void profile_error_name(struct profile_compiler *compiler, const struct yaml_node *at,
                        const char *code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void profile_error_inside(struct profile_compiler *compiler, const struct yaml_node *at,
                          size_t offset, const char *code, const char *hint, const char *format,
                          ...) __attribute__((format(printf, 6, 7)));

/* The text for an error: whole if it is short. */
const char *profile_excerpt(struct profile_compiler *compiler, struct bytes text);

/* "did you mean `x`?", or if nothing is near "known: a, b, c". */
const char *profile_suggest(struct profile_compiler *compiler, struct bytes name,
                            const char *const *known, size_t known_count);

/* True if the node is of that kind, and a text is not blank; else reports what was expected. */
bool profile_expect(struct profile_compiler *compiler, const struct yaml_node *node,
                    enum yaml_kind kind);

/* Reports members of a mapping whose names are not among `known`. */
void profile_check_members(struct profile_compiler *compiler, const struct yaml_node *mapping,
                           const char *const *known, size_t known_count);

/* A member that is `true` or `false`; `absent` if it is not there or wrong, which is reported. */
bool profile_read_flag(struct profile_compiler *compiler, const struct yaml_node *mapping,
                       const char *name, bool absent);

/* Which of `words` a member's text is; `absent` if it is not there or wrong, which is reported. */
size_t profile_read_word(struct profile_compiler *compiler, const struct yaml_node *mapping,
                         const char *name, const char *const *words, size_t word_count,
                         size_t absent);

/* Compiles one path; false if it is wrong, which is reported, or if the format is not known. */
bool profile_compile_path(struct profile_compiler *compiler, const struct yaml_node *node,
                          struct value_path *out_path);

/* Compiles `recognise` (routes/dialect/profile_recognise.c). */
void profile_compile_recognise(struct profile_compiler *compiler, const struct yaml_node *node,
                               struct recognise *recognise);

/* Compiles all specs of one field or key into `compiler->specs` (routes/dialect/profile_spec.c). */
void profile_compile_specs(struct profile_compiler *compiler, enum slot slot,
                           const struct yaml_node *node);

#endif
