#include "tests/io/fake_disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_FILE = 1000 }; /* a file is its node + this, if nothing else is said */

static void submit(struct disk *disk, struct disk_request *request);
static void wait_for_answer(struct disk *disk);
static void answer(struct fake_disk *disk, uint32_t index);

/* ---- Opening and closing --------------------------------------------------------------------- */

struct fake_disk *fake_disk_open(uint64_t seed)
{
    struct fake_disk *disk = calloc(1, sizeof *disk);
    assert(disk != NULL);
    disk->disk = (struct disk){.submit = submit, .wait = wait_for_answer};
    disk->random.state = seed;
    disk->room_bytes = UINT64_MAX;
    disk->first_file = FIRST_FILE;
    return disk;
}

static void free_node(struct fake_node *node)
{
    for (uint32_t i = 0; i < node->write_count; i++)
        free(node->writes[i].bytes);
    free(node->live);
    free(node->stable);
    free(node->image);
    *node = (struct fake_node){0};
}

void fake_disk_close(struct fake_disk *disk)
{
    for (int i = 0; i < FAKE_NODES_MAX; i++)
        free_node(&disk->nodes[i]);
    free(disk);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static int find_name(const struct fake_names *names, const char *name)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i].name, name) == 0)
            return (int)i;
    return -1;
}

static int node_named(const struct fake_names *names, const char *name)
{
    int index = find_name(names, name);
    return index < 0 ? -1 : names->items[index].node;
}

static void remove_name(struct fake_names *names, const char *name)
{
    int index = find_name(names, name);
    if (index >= 0)
        names->items[index] = names->items[--names->count];
}

static void add_name(struct fake_names *names, const char *name, int node)
{
    remove_name(names, name);
    assert(names->count < FAKE_NAMES_MAX);
    struct fake_name *item = &names->items[names->count++];
    strcpy(item->name, name);
    item->node = node;
}

static void apply_change(struct fake_names *names, const struct fake_change *change)
{
    int node = node_named(names, change->name);
    if (change->action == DISK_CREATE) {
        add_name(names, change->name, change->node);
    } else if (change->action == DISK_RENAME && node >= 0) {
        remove_name(names, change->name);
        add_name(names, change->new_name, node);
    } else if (change->action == DISK_REMOVE) {
        remove_name(names, change->name);
    }
}

static void note_change(struct fake_disk *disk, const struct disk_request *request, int node)
{
    assert(disk->change_count < FAKE_CHANGES_MAX);
    struct fake_change *change = &disk->changes[disk->change_count++];
    *change = (struct fake_change){.action = request->action, .node = node};
    strcpy(change->name, request->name);
    strcpy(change->new_name, request->new_name);
    change->completed_at = ++disk->clock;
    apply_change(&disk->live, change);
}

/* Nodes that no name can lead to any more are used again. */
static void collect_nodes(struct fake_disk *disk)
{
    bool is_named[FAKE_NODES_MAX] = {0};
    for (uint32_t i = 0; i < disk->live.count; i++)
        is_named[disk->live.items[i].node] = true;
    for (uint32_t i = 0; i < disk->stable.count; i++)
        is_named[disk->stable.items[i].node] = true;
    for (uint32_t i = 0; i < disk->change_count; i++)
        if (disk->changes[i].action == DISK_CREATE)
            is_named[disk->changes[i].node] = true;
    for (uint32_t i = 0; i < disk->pending_count; i++)
        if (disk->pending[i].request->action == DISK_CREATE)
            is_named[disk->pending[i].node] = true;
        else if (disk->pending[i].request->file >= disk->first_file)
            is_named[disk->pending[i].request->file - disk->first_file] = true;
    for (int i = 0; i < FAKE_NODES_MAX; i++)
        if (disk->nodes[i].is_used && !is_named[i])
            free_node(&disk->nodes[i]);
}

static int make_node(struct fake_disk *disk)
{
    collect_nodes(disk);
    for (int i = 0; i < FAKE_NODES_MAX; i++)
        if (!disk->nodes[i].is_used) {
            disk->nodes[i].is_used = true;
            return i;
        }
    assert(false && "too many files");
    return -1;
}

/* ---- Content --------------------------------------------------------------------------------- */

static struct fake_node *node_of(struct fake_disk *disk, const struct disk_request *request)
{
    int index = request->file - disk->first_file;
    assert(index >= 0 && index < FAKE_NODES_MAX && disk->nodes[index].is_used);
    return &disk->nodes[index];
}

static uint8_t *grow(uint8_t *memory, uint64_t from, uint64_t to)
{
    memory = realloc(memory, to);
    assert(memory != NULL);
    memset(memory + from, 0, to - from);
    return memory;
}

static void reserve(struct fake_node *node, uint64_t bytes)
{
    if (bytes > node->capacity_bytes) {
        node->live = grow(node->live, node->capacity_bytes, bytes);
        node->stable = grow(node->stable, node->capacity_bytes, bytes);
        node->image = grow(node->image, node->capacity_bytes, bytes);
        node->capacity_bytes = bytes;
    }
}

static void extend(struct fake_node *node, uint64_t bytes)
{
    reserve(node, bytes);
    if (bytes > node->live_bytes)
        node->live_bytes = bytes;
}

static struct fake_write *add_write(struct fake_node *node, const struct disk_request *request)
{
    uint64_t end = request->offset + request->size_bytes;
    for (uint32_t i = 0; i < node->write_count; i++) {
        const struct fake_write *other = &node->writes[i];
        assert(end <= other->offset || request->offset >= other->offset + other->size_bytes);
    }
    assert(node->write_count < FAKE_WRITES_MAX);
    struct fake_write *write = &node->writes[node->write_count++];
    *write = (struct fake_write){.offset = request->offset, .size_bytes = request->size_bytes};
    write->bytes = malloc(request->size_bytes);
    assert(write->bytes != NULL);
    memcpy(write->bytes, request->memory, request->size_bytes);
    reserve(node, end);
    return write;
}

static struct fake_write *write_of(struct fake_node *node, const struct disk_request *request)
{
    for (uint32_t i = 0; i < node->write_count; i++)
        if (node->writes[i].offset == request->offset && node->writes[i].completed_at == 0)
            return &node->writes[i];
    assert(false && "a write that was not asked for");
    return NULL;
}

static void drop_write(struct fake_node *node, struct fake_write *write)
{
    free(write->bytes);
    *write = node->writes[--node->write_count];
}

static void undo_overlays(struct fake_node *node)
{
    for (uint32_t i = 0; i < node->overlaid_count; i++)
        memcpy(node->image + node->overlaid[i].offset, node->stable + node->overlaid[i].offset,
               node->overlaid[i].size_bytes);
    node->overlaid_count = 0;
}

static void make_stable(struct fake_node *node, struct fake_write *write)
{
    undo_overlays(node);
    memcpy(node->stable + write->offset, write->bytes, write->size_bytes);
    memcpy(node->image + write->offset, write->bytes, write->size_bytes);
    drop_write(node, write);
}

/* A write takes effect, whole or up to `result` bytes. */
static int32_t end_write(struct fake_disk *disk, const struct fake_pending *pending)
{
    struct disk_request *request = pending->request;
    struct fake_node *node = node_of(disk, request);
    struct fake_write *write = write_of(node, request);
    assert(memcmp(write->bytes, request->memory, request->size_bytes) == 0);
    int32_t result = pending->is_faulty ? pending->result : (int32_t)request->size_bytes;
    uint32_t count = result > 0 ? (uint32_t)result : 0;
    extend(node, request->offset + count);
    memcpy(node->live + request->offset, write->bytes, count);
    write->completed_at = ++disk->clock;
    write->is_lost = pending->is_faulty;
    if (request->action == DISK_WRITE_SYNC && !pending->is_faulty) {
        make_stable(node, write);
        if (node->stable_bytes < request->offset + count)
            node->stable_bytes = request->offset + count;
    }
    return result;
}

static int32_t end_sync(struct fake_disk *disk, const struct fake_pending *pending)
{
    struct fake_node *node = node_of(disk, pending->request);
    for (uint32_t i = node->write_count; i-- > 0;) {
        struct fake_write *write = &node->writes[i];
        if (write->completed_at == 0 || write->completed_at > pending->submitted_at)
            continue;
        write->is_lost |= pending->is_faulty;
        if (!write->is_lost)
            make_stable(node, write);
    }
    if (pending->is_faulty)
        return pending->result;
    node->stable_bytes = node->live_bytes;
    return 0;
}

static int32_t end_sync_folder(struct fake_disk *disk, const struct fake_pending *pending)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < disk->change_count; i++) {
        struct fake_change *change = &disk->changes[i];
        bool is_covered = change->completed_at <= pending->submitted_at;
        change->is_lost |= is_covered && pending->is_faulty;
        if (is_covered && !change->is_lost)
            apply_change(&disk->stable, change);
        else
            disk->changes[kept++] = *change;
    }
    disk->change_count = kept;
    return pending->is_faulty ? pending->result : 0;
}

static int32_t end_allocate(struct fake_disk *disk, const struct disk_request *request)
{
    struct fake_node *node = node_of(disk, request);
    uint64_t end = request->offset + request->allocate_bytes;
    uint64_t more = end > node->live_bytes ? end - node->live_bytes : 0;
    if (more > disk->room_bytes)
        return -ENOSPC;
    if (disk->room_bytes != UINT64_MAX)
        disk->room_bytes -= more;
    extend(node, end);
    return 0;
}

static int32_t end_read(struct fake_disk *disk, const struct disk_request *request)
{
    struct fake_node *node = node_of(disk, request);
    if (request->offset >= node->live_bytes)
        return 0;
    uint64_t left = node->live_bytes - request->offset;
    uint32_t count = left < request->size_bytes ? (uint32_t)left : request->size_bytes;
    memcpy(request->memory, node->live + request->offset, count);
    return (int32_t)count;
}

static int32_t end_remove(struct fake_disk *disk, const struct disk_request *request)
{
    int node = node_named(&disk->live, request->name);
    if (node < 0)
        return -ENOENT;
    if (disk->room_bytes != UINT64_MAX)
        disk->room_bytes += disk->nodes[node].live_bytes;
    note_change(disk, request, node);
    return 0;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static bool take_fault(struct fake_disk *disk, enum disk_action action, int32_t *out_result)
{
    for (uint32_t i = 0; i < disk->fault_count; i++) {
        struct fake_fault *fault = &disk->faults[i];
        if (fault->action != action || fault->times == 0)
            continue;
        if (fault->after > 0) {
            fault->after--;
            continue;
        }
        fault->times--;
        *out_result = fault->result;
        return true;
    }
    return false;
}

static void submit(struct disk *any, struct disk_request *request)
{
    struct fake_disk *disk = (struct fake_disk *)any;
    assert(disk->pending_count < FAKE_PENDING_MAX);
    struct fake_pending *pending = &disk->pending[disk->pending_count];
    *pending = (struct fake_pending){.request = request, .submitted_at = disk->clock, .node = -1};
    pending->is_faulty = take_fault(disk, request->action, &pending->result);
    disk->submitted[request->action]++;
    if (request->action == DISK_CREATE)
        pending->node = make_node(disk);
    if (request->action == DISK_WRITE || request->action == DISK_WRITE_SYNC)
        add_write(node_of(disk, request), request);
    disk->pending_count++;
    uint32_t sync_writes = fake_disk_count(disk, DISK_WRITE_SYNC);
    if (sync_writes > disk->sync_writes_most)
        disk->sync_writes_most = sync_writes;
}

static int32_t end_by_name(struct fake_disk *disk, const struct fake_pending *pending)
{
    const struct disk_request *request = pending->request;
    int node = node_named(&disk->live, request->name);
    switch (request->action) {
    case DISK_CREATE:
        if (node >= 0)
            return -EEXIST;
        note_change(disk, request, pending->node);
        disk->open_files++;
        return pending->node + disk->first_file;
    case DISK_OPEN:
        disk->open_files += node >= 0;
        return node >= 0 ? node + disk->first_file : -ENOENT;
    case DISK_RENAME:
        if (node < 0)
            return -ENOENT;
        note_change(disk, request, node);
        return 0;
    default: return end_remove(disk, request);
    }
}

static int32_t end_request(struct fake_disk *disk, const struct fake_pending *pending)
{
    const struct disk_request *request = pending->request;
    switch (request->action) {
    case DISK_WRITE:
    case DISK_WRITE_SYNC: return end_write(disk, pending);
    case DISK_SYNC: return end_sync(disk, pending);
    case DISK_SYNC_FOLDER: return end_sync_folder(disk, pending);
    default: break;
    }
    if (pending->is_faulty)
        return pending->result;
    switch (request->action) {
    case DISK_ALLOCATE: return end_allocate(disk, request);
    case DISK_READ: return end_read(disk, request);
    case DISK_TRUNCATE: node_of(disk, request)->live_bytes = request->offset; return 0;
    case DISK_CLOSE: disk->open_files--; return 0;
    default: return end_by_name(disk, pending);
    }
}

static void answer(struct fake_disk *disk, uint32_t index)
{
    struct fake_pending pending = disk->pending[index];
    disk->pending_count--;
    memmove(&disk->pending[index], &disk->pending[index + 1],
            (disk->pending_count - index) * sizeof *disk->pending);
    int32_t result = end_request(disk, &pending);
    pending.request->done(pending.request, result);
}

bool fake_disk_step(struct fake_disk *disk)
{
    if (disk->pending_count == 0)
        return false;
    answer(disk, random_below(&disk->random, disk->pending_count));
    return true;
}

bool fake_disk_answer(struct fake_disk *disk, enum disk_action action)
{
    for (uint32_t i = 0; i < disk->pending_count; i++)
        if (disk->pending[i].request->action == action) {
            answer(disk, i);
            return true;
        }
    return false;
}

uint32_t fake_disk_count(const struct fake_disk *disk, enum disk_action action)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < disk->pending_count; i++)
        count += disk->pending[i].request->action == action;
    return count;
}

static void wait_for_answer(struct disk *disk)
{
    bool answered = fake_disk_step((struct fake_disk *)disk);
    assert(answered);
}

void fake_disk_fail(struct fake_disk *disk, enum disk_action action, uint32_t after, uint32_t times,
                    int32_t result)
{
    assert(disk->fault_count < FAKE_FAULTS_MAX);
    disk->faults[disk->fault_count++] =
        (struct fake_fault){.action = action, .after = after, .times = times, .result = result};
}

/* ---- Power cuts ------------------------------------------------------------------------------ */

enum loss { LOSS_ALL, LOSS_NONE, LOSS_TAIL, LOSS_PAGES, LOSS_SECTORS, LOSS_COUNT };

static void overlay(struct fake_node *node, const struct fake_write *write, struct random *random)
{
    enum loss loss = (enum loss)random_below(random, LOSS_COUNT);
    if (loss == LOSS_ALL)
        return;
    node->overlaid[node->overlaid_count++] = *write;
    uint32_t unit = loss == LOSS_PAGES ? 4096 : FAKE_SECTOR_BYTES;
    uint32_t units = write->size_bytes / unit, tail = units;
    if (loss == LOSS_TAIL)
        tail = random_below(random, units + 1);
    for (uint32_t i = 0; i < tail; i++) {
        bool is_there = loss == LOSS_NONE || loss == LOSS_TAIL || random_below(random, 2) == 0;
        if (is_there)
            memcpy(node->image + write->offset + (uint64_t)i * unit,
                   write->bytes + (size_t)i * unit, unit);
    }
}

void fake_disk_crash(struct fake_disk *disk, struct random *random)
{
    for (int i = 0; i < FAKE_NODES_MAX; i++) {
        struct fake_node *node = &disk->nodes[i];
        if (!node->is_used)
            continue;
        undo_overlays(node);
        node->image_bytes = random_below(random, 2) == 0 ? node->stable_bytes : node->live_bytes;
        for (uint32_t w = 0; w < node->write_count; w++)
            overlay(node, &node->writes[w], random);
    }
    disk->image = disk->stable;
    enum loss loss = (enum loss)random_below(random, LOSS_TAIL + 1);
    for (uint32_t i = 0; i < disk->change_count; i++)
        if (loss == LOSS_NONE || (loss == LOSS_TAIL && random_below(random, 2) == 0))
            apply_change(&disk->image, &disk->changes[i]);
    /* What is under way may have happened, too. */
    for (uint32_t i = 0; i < disk->pending_count; i++) {
        const struct disk_request *request = disk->pending[i].request;
        struct fake_change change = {.action = request->action, .node = disk->pending[i].node};
        strcpy(change.name, request->name);
        strcpy(change.new_name, request->new_name);
        if (loss != LOSS_ALL && random_below(random, 2) == 0 &&
            (request->action == DISK_CREATE || request->action == DISK_RENAME ||
             request->action == DISK_REMOVE))
            apply_change(&disk->image, &change);
    }
}

int64_t fake_disk_image_read(const struct fake_disk *disk, const char *name, uint64_t offset,
                             void *memory, size_t capacity)
{
    int index = node_named(&disk->image, name);
    if (index < 0)
        return -1;
    const struct fake_node *node = &disk->nodes[index];
    if (offset >= node->image_bytes)
        return 0;
    size_t left = node->image_bytes - offset, count = left < capacity ? left : capacity;
    if (count > 0)
        memcpy(memory, node->image + offset, count);
    return (int64_t)count;
}

bool fake_disk_has(const struct fake_disk *disk, const char *name)
{
    return find_name(&disk->live, name) >= 0;
}
