/* The names of a generation by index, and the files that it was made from. A record in the journal
 * holds indices of the generation that decided it; the manifest, a text that lies beside the log,
 * says what they mean, for as long as such records are kept:
 *
 *   kouan-generation 1
 *   configuration <sha-256> kouan.yaml      the files, as the configuration names them
 *   file <sha-256> rules/customs.csv
 *   shipped <sha-256> event.yaml
 *   participant nansha                      from here on a name's place is its index
 *   channel in
 *   destination customs
 *   profile event
 *   table customs                           its rules follow it
 *   rule k17
 *
 * Within a name `%XX` stands for a control byte or a `%`. Pure: the caller knows the digests, and
 * stores the text. All memory is the arena's. */
#ifndef KOUAN_ROUTES_GENERATION_NAMES_H
#define KOUAN_ROUTES_GENERATION_NAMES_H

#include "routes/generation.h"

enum {
    GENERATION_VERSION = 1,
    GENERATION_DIGEST_BYTES = 32,
    GENERATION_FILES_MAX = 128 * 1024,
    GENERATION_NAME_BYTES_MAX = 4096,
    GENERATION_MANIFEST_BYTES_MAX = 64 * 1024 * 1024,
    GENERATION_NO_INDEX = 0xFFFF
};

enum generation_file_kind { FILE_CONFIGURATION, FILE_NAMED, FILE_SHIPPED, FILE_KIND_COUNT };

struct generation_file {
    enum generation_file_kind kind;
    const char *name; /* as the configuration has it; of a shipped profile, the file's */
    uint8_t sha256[GENERATION_DIGEST_BYTES];
};

#define GENERATION_NAME_LIST(X)                                                                    \
    X(PARTICIPANT, "participant", PARTICIPANTS_MAX)                                                \
    X(CHANNEL, "channel", CHANNELS_MAX)                                                            \
    X(DESTINATION, "destination", DESTINATIONS_MAX)                                                \
    X(PROFILE, "profile", PROFILES_MAX)

enum generation_name {
#define X(constant, text, max) NAME_##constant,
    GENERATION_NAME_LIST(X)
#undef X
        NAME_KIND_COUNT
};

struct name_list {
    const char *const *names;
    uint32_t count;
};

struct table_names {
    const char *name;
    struct name_list rules;
};

struct generation_names {
    uint64_t number; /* not in the manifest: the log gives it */
    const struct generation_file *files;
    uint32_t file_count;
    struct name_list lists[NAME_KIND_COUNT];
    const struct table_names *tables;
    uint16_t table_count;
};

/* Borrows the texts of the generation and of `files`. */
void generation_names_take(struct arena *arena, const struct generation *generation,
                           const struct generation_file *files, uint32_t file_count,
                           struct generation_names *out_names);

/* With texts of its own. */
void generation_names_copy(struct arena *arena, const struct generation_names *names,
                           struct generation_names *out_names);

struct bytes generation_names_encode(struct arena *arena, const struct generation_names *names);

/* INVALID: it is no manifest, `out_line` says where it ceases to be one; UNSUPPORTED: a manifest of
 * another version. Copies the names. */
MUST_CHECK enum status generation_names_parse(struct arena *arena, struct bytes text,
                                              struct generation_names *out_names,
                                              uint32_t *out_line);

/* "?" for an index that the generation does not have. */
const char *generation_name(const struct generation_names *names, enum generation_name kind,
                            uint32_t index);

/* `rule` as records hold it: table << 24 | index of the rule. */
const char *generation_table_name(const struct generation_names *names, uint32_t rule);
const char *generation_rule_name(const struct generation_names *names, uint32_t rule);

/* For each index of `from` the index of the same name in `to`, or GENERATION_NO_INDEX. */
const uint16_t *generation_names_map(struct arena *arena, const struct generation_names *from,
                                     const struct generation_names *to, enum generation_name kind);

#endif
