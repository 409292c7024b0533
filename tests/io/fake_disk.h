/* A disk in memory for tests. It remembers what was asked and answers in any order, under a seed;
 * fails on demand; and says what may be found after a power cut: every write that was not synced
 * may be there, not be there, or be there in parts, and every name that was not synced may be the
 * old one, whatever the order was. What was synced is there. Checks that nobody touches memory that
 * is being written. */
#ifndef KOUAN_TESTS_IO_FAKE_DISK_H
#define KOUAN_TESTS_IO_FAKE_DISK_H

#include "io/journal/disk.h"
#include "tests/core/random.h"

enum {
    FAKE_NODES_MAX = 64,
    FAKE_NAMES_MAX = 64,
    FAKE_CHANGES_MAX = 64,
    FAKE_WRITES_MAX = 64, /* of one file, not yet synced */
    FAKE_PENDING_MAX = 32,
    FAKE_FAULTS_MAX = 8,
    FAKE_SECTOR_BYTES = 512 /* what the disk writes whole or not at all */
};

struct fake_write {
    uint64_t offset, completed_at; /* 0: under way */
    uint32_t size_bytes;
    uint8_t *bytes; /* as they were when it was asked for */
    bool is_lost;   /* a sync of it failed: no later one makes it stable */
};

/* A file's content, whatever its name is. */
struct fake_node {
    bool is_used;
    uint64_t capacity_bytes, live_bytes, stable_bytes;
    uint8_t *live, *stable;
    uint8_t *image; /* as `stable`, but for `overlaid` writes of the crash state */
    struct fake_write writes[FAKE_WRITES_MAX];
    uint32_t write_count;
    struct fake_write overlaid[FAKE_WRITES_MAX];
    uint32_t overlaid_count;
    uint64_t image_bytes;
};

struct fake_name {
    char name[DISK_NAME_BYTES];
    int node;
};

struct fake_names {
    struct fake_name items[FAKE_NAMES_MAX];
    uint32_t count;
};

struct fake_change { /* of names, not yet synced */
    enum disk_action action;
    char name[DISK_NAME_BYTES], new_name[DISK_NAME_BYTES];
    int node;
    uint64_t completed_at;
    bool is_lost;
};

struct fake_pending {
    struct disk_request *request;
    uint64_t submitted_at;
    int32_t result; /* of the fault, if `is_faulty` */
    bool is_faulty;
    int node; /* to be made by DISK_CREATE */
};

struct fake_fault {
    enum disk_action action;
    uint32_t after, times;
    int32_t result;
};

struct fake_disk {
    struct disk disk; /* first */
    struct random random;
    uint64_t clock;
    struct fake_node nodes[FAKE_NODES_MAX];
    struct fake_names live, stable, image; /* `image`: of the crash state */
    struct fake_change changes[FAKE_CHANGES_MAX];
    uint32_t change_count;
    struct fake_pending pending[FAKE_PENDING_MAX];
    uint32_t pending_count;
    struct fake_fault faults[FAKE_FAULTS_MAX];
    uint32_t fault_count;
    uint64_t room_bytes; /* for ALLOCATE; what is allocated is taken from it */
    /* What was asked for: */
    uint64_t submitted[DISK_CLOSE + 1];
    uint32_t sync_writes_most; /* WRITE_SYNCs that were under way together */
    int64_t open_files;
    int first_file; /* what files are numbered from; disks side by side differ in it */
};

struct fake_disk *fake_disk_open(uint64_t seed);
void fake_disk_close(struct fake_disk *disk);

/* Answers one of those under way, chosen at random; false: there is none. */
bool fake_disk_step(struct fake_disk *disk);
/* Answers the request that was asked for first, of this action; false: there is none. */
bool fake_disk_answer(struct fake_disk *disk, enum disk_action action);
uint32_t fake_disk_count(const struct fake_disk *disk, enum disk_action action); /* under way */

/* After `after` more requests of this action, the next `times` have this result: -errno, or a count
 * of bytes for a short write. A sync that fails loses what it should have synced, whatever later
 * ones say. */
void fake_disk_fail(struct fake_disk *disk, enum disk_action action, uint32_t after, uint32_t times,
                    int32_t result);

/* Draws one of the states that a power cut now may leave. It is there until the next. */
void fake_disk_crash(struct fake_disk *disk, struct random *random);
/* Of the crash state: -1: no such name; else how many bytes there are. */
int64_t fake_disk_image_read(const struct fake_disk *disk, const char *name, uint64_t offset,
                             void *memory, size_t capacity);
bool fake_disk_has(const struct fake_disk *disk, const char *name); /* now, not in the state */

#endif
