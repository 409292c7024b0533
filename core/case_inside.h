/* What the parts of a table of cases share: case_table.c (telling and asking), case_places.c
 * (order and bounds), case_life.c (what is known of one case), case_names.c, case_image.c (the
 * whole as bytes). */
#ifndef KOUAN_CORE_CASE_INSIDE_H
#define KOUAN_CORE_CASE_INSIDE_H

#include "core/case_image.h"
#include "core/case_names.h"
#include "core/region.h"

#define CASE_IMAGE_MAGIC UINT64_C(0x736573614379754B) /* "KuyCases" */

struct case_name {
    uint8_t size;
    uint8_t text[CASE_NAME_BYTES + 1];
};
static_assert(sizeof(struct case_name) == 64, "they lie side by side in an image");

/* Cases of one span, by when they were heard of last. */
struct case_list {
    uint32_t oldest, newest;
};

/* The begin of the region. */
struct case_head {
    uint64_t magic;
    uint32_t image_version;
    uint32_t cases_max, keys_max;
    uint32_t cases_used, keys_used; /* so many were in use at a time: further ones never */
    uint32_t free_case, free_key;   /* by `older`, `next` */
    uint32_t name_count;            /* with that of nobody */
    uint32_t state_count;           /* likewise */
    uint32_t reserved;
    uint64_t names_offset, keys_offset, entries_offset, image_bytes;
    struct case_list lists[CASE_SPAN_COUNT];
    struct case_figures figures; /* but for those that are limits */
    struct case_name states[CASE_STATES_MAX];
};

struct case_cursor {
    uint32_t at[CASE_SPAN_COUNT]; /* the last one seen */
};

struct case_table {
    struct case_table_settings settings;
    struct region region;
    struct case_head *head; /* the begin of the region */
    struct case_name *names;
    struct case_key *keys;
    struct case_entry *entries;

    uint32_t *buckets; /* a key, by its digest; not of the image */
    uint32_t bucket_mask;
    uint16_t *name_places; /* numbers by their names' hashes */
    struct case_cursor cursors[CASE_CURSORS_MAX];

    /* Of the copy that is under way: */
    uint8_t *copy;    /* NULL: none */
    uint64_t *copied; /* a bit a page */
    struct case_image_section sections[CASE_IMAGE_SECTIONS];
    uint32_t copy_section;
    uint64_t copy_offset; /* in it */
};

/* ---- case_image.c ---- */

void case_image_save(struct case_table *table, const void *place, size_t size_bytes);

/* What lies there is about to change. */
static inline void case_will_change(struct case_table *table, const void *place, size_t size_bytes)
{
    if (table->copy != NULL)
        case_image_save(table, place, size_bytes);
}

/* ---- case_places.c ---- */

/* A place for a case; it is the newest of its span. */
uint32_t case_take_place(struct case_table *table, enum case_span span);
/* Without keys. */
void case_leave_place(struct case_table *table, uint32_t index);
/* It was heard of, and lives for that span at least. */
void case_renew(struct case_table *table, uint32_t index, enum case_span span);
/* With its keys. */
void case_drop(struct case_table *table, uint32_t index);
void case_expire(struct case_table *table, uint64_t now_ms);
/* Makes room: the one whose end is next goes, but for `kept`. */
void case_evict(struct case_table *table, uint32_t kept);

uint32_t case_find_key(const struct case_table *table, struct digest digest);
/* False: there are none left. */
bool case_take_key(struct case_table *table, uint32_t index, const struct case_key *key);
void case_leave_key(struct case_table *table, uint32_t number);
/* It is the last of its case's. */
void case_append_key(struct case_table *table, struct case_entry *entry, uint32_t number);

/* ---- case_names.c ---- */

void case_names_index(struct case_table *table);

/* ---- case_life.c ---- */

void case_life_observe(struct case_table *table, struct case_entry *entry,
                       const struct case_observation *observation);
/* All that is known of `younger` is known of `entry`, too; but for its keys. */
void case_life_join(struct case_table *table, struct case_entry *entry,
                    const struct case_entry *younger);

#endif
