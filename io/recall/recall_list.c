#include "io/recall/recall_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

static void hand_out(struct loop *loop, struct deferral *deferral);
static void look_for_unclaimed(struct loop *loop, struct timer *timer);
static void let_go_on(struct loop *loop, struct timer *timer);
static void ask_for_more(struct recall_list *list);

enum status recall_lists_open(struct recall_lists *lists, struct recall *recall, struct loop *loop,
                              uint64_t staging_bytes)
{
    *lists = (struct recall_lists){.recall = recall, .loop = loop};
    lists->hand_out.run = hand_out;
    lists->claim_timer.expire = look_for_unclaimed;
    lists->pace_timer.expire = let_go_on;
    pace_open(&lists->pace);
    lists->gathered_max = (uint32_t)(staging_bytes / sizeof(struct record)) + 1;
    lists->gathered = calloc(lists->gathered_max, sizeof *lists->gathered);
    if (lists->gathered == NULL)
        return STATUS_NO_MEMORY;
    enum status status = page_pool_open(&lists->staging, staging_bytes);
    if (status != STATUS_OK)
        recall_lists_close(lists);
    return status;
}

void recall_lists_close(struct recall_lists *lists)
{
    if (lists->loop != NULL) {
        loop_undefer(lists->loop, &lists->hand_out);
        if (lists->claim_timer.heap_index != 0)
            loop_timer_disarm(lists->loop, &lists->claim_timer);
        if (lists->pace_timer.heap_index != 0)
            loop_timer_disarm(lists->loop, &lists->pace_timer);
        pace_close(&lists->pace);
    }
    page_pool_close(&lists->staging);
    free(lists->gathered);
    *lists = (struct recall_lists){0};
}

/* ---- gathering ---- */

void recall_gather_begin(struct recall_lists *lists, uint64_t bytes_max)
{
    lists->gathered_bytes_max = bytes_max;
    lists->gathered_count = 0;
    lists->gathered_bytes = 0;
}

bool recall_gather_add(struct recall_lists *lists, uint64_t position, uint32_t size_bytes)
{
    assert(size_bytes % RECORD_ALIGNMENT == 0);
    uint32_t count = lists->gathered_count;
    if (count == lists->gathered_max ||
        (count > 0 && lists->gathered_bytes + size_bytes > lists->gathered_bytes_max))
        return false;
    lists->gathered[lists->gathered_count++] =
        (struct recall_item){.position = position, .size_bytes = size_bytes};
    lists->gathered_bytes += size_bytes;
    return true;
}

bool recall_gather_has(const struct recall_lists *lists, uint64_t position)
{
    for (uint32_t i = 0; i < lists->gathered_count; i++)
        if (lists->gathered[i].position == position)
            return true;
    return false;
}

/* ---- lines ---- */

static void enter(struct recall_line *line, struct recall_list *list)
{
    list->next = NULL;
    list->previous = line->last;
    *(line->last != NULL ? &line->last->next : &line->first) = list;
    line->last = list;
}

static void leave(struct recall_line *line, struct recall_list *list)
{
    *(list->previous != NULL ? &list->previous->next : &line->first) = list->next;
    *(list->next != NULL ? &list->next->previous : &line->last) = list->previous;
    list->next = list->previous = NULL;
}

static void watch_claims(struct recall_lists *lists)
{
    if (lists->waiting.first != NULL && lists->claim_timer.heap_index == 0)
        loop_timer_arm(lists->loop, &lists->claim_timer,
                       loop_now_ns(lists->loop) + RECALL_CLAIM_MS * NS_PER_MS);
}

/* Tells the first in line that it may try again. */
static void hand_out(struct loop *loop, struct deferral *deferral)
{
    struct recall_lists *lists =
        (struct recall_lists *)(void *)((char *)deferral - offsetof(struct recall_lists, hand_out));
    struct recall_list *list = lists->waiting.first;
    if (list == NULL || list->state == RECALL_LIST_TURN)
        return;
    list->state = RECALL_LIST_TURN;
    list->since_ns = loop_now_ns(loop);
    watch_claims(lists);
    lists->ready(list);
}

static bool is_overdue(const struct recall_list *list, uint64_t now_ns)
{
    return list != NULL && now_ns - list->since_ns >= RECALL_CLAIM_MS * NS_PER_MS;
}

/* While some stand in line: who had its turn and did not come stands behind the others, and what
 * nobody came for is given back. */
static void look_for_unclaimed(struct loop *loop, struct timer *timer)
{
    struct recall_lists *lists =
        (struct recall_lists *)(void *)((char *)timer - offsetof(struct recall_lists, claim_timer));
    uint64_t now_ns = loop_now_ns(loop);
    struct recall_list *first = lists->waiting.first;
    if (first != NULL && first->state == RECALL_LIST_TURN && is_overdue(first, now_ns)) {
        leave(&lists->waiting, first);
        first->state = RECALL_LIST_NONE;
    }
    while (is_overdue(lists->ready_ones.first, now_ns))
        recall_list_end(lists->ready_ones.first);
    loop_defer(loop, &lists->hand_out);
    watch_claims(lists);
}

/* ---- pace ---- */

bool recall_list_may_go(struct recall_lists *lists, const struct recall_list *list)
{
    uint64_t busy_ns = recall_figures(lists->recall)->busy_ns;
    pace_spend(&lists->pace, busy_ns - lists->charged_ns);
    lists->charged_ns = busy_ns;
    return list->state == RECALL_LIST_READY || pace_may_go(&lists->pace);
}

void recall_lists_charge(struct recall_lists *lists, uint64_t started_ns, uint64_t bytes)
{
    enum { SEND_BYTES_PER_NS = 8 }; /* measured over loopback; the kernel does it later */
    pace_spend(&lists->pace, pace_clock_ns() - started_ns + bytes / SEND_BYTES_PER_NS);
}

static void arm_pace(struct recall_lists *lists)
{
    if (lists->paced.first != NULL && lists->pace_timer.heap_index == 0)
        loop_timer_arm(lists->loop, &lists->pace_timer,
                       loop_now_ns(lists->loop) + pace_wait_ns(&lists->pace));
}

void recall_list_pace(struct recall_lists *lists, struct recall_list *list)
{
    recall_list_end(list);
    list->lists = lists;
    list->state = RECALL_LIST_PACED;
    enter(&lists->paced, list);
    arm_pace(lists);
}

static void let_go_on(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct recall_lists *lists =
        (struct recall_lists *)(void *)((char *)timer - offsetof(struct recall_lists, pace_timer));
    struct recall_list *list;
    if (pace_may_go(&lists->pace))
        for (int i = 0; i < RECALL_PACED_AT_ONCE && (list = lists->paced.first) != NULL; i++) {
            leave(&lists->paced, list);
            list->state = RECALL_LIST_NONE;
            lists->ready(list);
        }
    arm_pace(lists);
}

/* ---- one list ---- */

static struct recall_item *items_of(const struct recall_list *list)
{
    return (struct recall_item *)(void *)list->memory;
}

static uint64_t bytes_gathered(const struct recall_lists *lists)
{
    return lists->gathered_count * sizeof(struct recall_item) + lists->gathered_bytes;
}

/* Its memory, with the items in order and the records' places behind them. */
static bool take_memory(struct recall_lists *lists, struct recall_list *list)
{
    uint64_t items_bytes = lists->gathered_count * sizeof(struct recall_item);
    static_assert(sizeof(struct recall_item) % RECORD_ALIGNMENT == 0, "records stay aligned");
    list->memory_bytes = bytes_gathered(lists);
    list->memory = page_pool_take(&lists->staging, list->memory_bytes);
    if (list->memory == NULL)
        return false;
    memcpy(list->memory, lists->gathered, items_bytes);
    recall_items_sort(items_of(list), lists->gathered_count);
    uint64_t offset = items_bytes;
    for (uint32_t i = 0; i < lists->gathered_count; i++) {
        items_of(list)[i].offset = (uint32_t)(offset / RECORD_ALIGNMENT);
        offset += items_of(list)[i].size_bytes;
    }
    return true;
}

static void fail(struct recall_list *list, enum status status, uint64_t position)
{
    if (list->failure != STATUS_OK)
        return;
    list->failure = status;
    list->failed_position = position;
}

void recall_list_start(struct recall_lists *lists, struct recall_list *list)
{
    assert(lists->gathered_count > 0);
    bool its_turn = list->state == RECALL_LIST_TURN || lists->waiting.first == NULL;
    if (list->state != RECALL_LIST_TURN)
        recall_list_end(list);
    list->lists = lists;
    if (!page_pool_could_hold(&lists->staging, bytes_gathered(lists))) {
        recall_list_end(list);
        list->state = RECALL_LIST_FAILED;
        list->failure = STATUS_NO_MEMORY;
        list->failed_position = lists->gathered[0].position;
        enter(&lists->ready_ones, list);
        return;
    }
    if (!its_turn || !take_memory(lists, list)) {
        if (list->state != RECALL_LIST_TURN)
            enter(&lists->waiting, list);
        list->state = RECALL_LIST_LINE; /* until something is given back */
        watch_claims(lists);
        return;
    }
    if (list->state == RECALL_LIST_TURN)
        leave(&lists->waiting, list);
    list->state = RECALL_LIST_READS;
    list->item_count = lists->gathered_count;
    list->next_item = list->asks_open = 0;
    list->failure = STATUS_OK;
    loop_defer(lists->loop, &lists->hand_out); /* there may be more for the next one */
    ask_for_more(list);
}

const struct record_head *recall_list_find(const struct recall_list *list, uint64_t position)
{
    if (list->state != RECALL_LIST_READY)
        return NULL;
    const struct recall_item *item = recall_items_find(items_of(list), list->item_count, position);
    if (item == NULL)
        return NULL;
    return (const struct record_head *)(const void *)(list->memory +
                                                      (size_t)item->offset * RECORD_ALIGNMENT);
}

void recall_list_end(struct recall_list *list)
{
    struct recall_lists *lists = list->lists;
    if (list->state == RECALL_LIST_NONE)
        return;
    if (list->state == RECALL_LIST_PACED)
        leave(&lists->paced, list);
    if (list->state == RECALL_LIST_LINE || list->state == RECALL_LIST_TURN)
        leave(&lists->waiting, list);
    if (list->state == RECALL_LIST_READY || list->state == RECALL_LIST_FAILED)
        leave(&lists->ready_ones, list);
    for (uint32_t i = 0; i < RECALL_LIST_ASKS; i++)
        recall_withdraw(lists->recall, &list->asks[i].ask);
    list->asks_open = 0;
    if (list->memory != NULL)
        page_pool_give(&lists->staging, list->memory, list->memory_bytes);
    list->memory = NULL;
    list->state = RECALL_LIST_NONE;
    if (lists->waiting.first != NULL)
        loop_defer(lists->loop, &lists->hand_out);
}

/* ---- reading ---- */

/* Behind the items that follow `first` with small gaps only. */
static uint64_t reach(const struct recall_list *list, uint32_t first)
{
    const struct recall_item *items = items_of(list);
    uint64_t end = items[first].position + items[first].size_bytes;
    for (uint32_t i = first + 1; i < list->item_count; i++) {
        if (items[i].position > end + RECALL_GAP_BYTES ||
            items[i].position > items[first].position + RECALL_READ_BYTES)
            break;
        end = items[i].position + items[i].size_bytes;
    }
    return end;
}

static void copy_block(struct recall_list *list, uint32_t first, const struct block_header *block);

static void block_done(struct recall_ask *ask, enum status status, const struct block_header *block,
                       const struct record_head *record)
{
    struct recall_list_ask *own = (struct recall_list_ask *)(void *)ask;
    struct recall_list *list = own->list;
    (void)record;
    list->asks_open--;
    if (status == STATUS_OK)
        copy_block(list, own->first_item, block);
    else
        fail(list, status, ask->position);
    ask_for_more(list);
    if (list->asks_open > 0)
        return;
    list->state = list->failure == STATUS_OK ? RECALL_LIST_READY : RECALL_LIST_FAILED;
    list->since_ns = loop_now_ns(list->lists->loop);
    enter(&list->lists->ready_ones, list);
    list->lists->ready(list);
}

static void ask_for_more(struct recall_list *list)
{
    struct recall *recall = list->lists->recall;
    const struct recall_item *items = items_of(list);
    for (uint32_t i = 0; i < RECALL_LIST_ASKS; i++) {
        struct recall_list_ask *own = &list->asks[i];
        if (list->next_item == list->item_count || list->failure != STATUS_OK)
            return;
        if (own->ask.asked)
            continue;
        own->list = list;
        own->first_item = list->next_item;
        own->ask.position = items[own->first_item].position;
        own->ask.until_position = reach(list, own->first_item);
        own->ask.may_wait = true;
        own->ask.done = block_done;
        uint64_t end = recall_block_end(recall, own->ask.position);
        while (list->next_item < list->item_count && items[list->next_item].position < end)
            list->next_item++;
        list->asks_open++;
        recall_ask(recall, &own->ask);
    }
}

/* All that the block has of the list. */
static void copy_block(struct recall_list *list, uint32_t first, const struct block_header *block)
{
    const struct recall_item *items = items_of(list);
    uint64_t end = block->position + block->size_bytes;
    for (uint32_t i = first; i < list->item_count && items[i].position < end; i++) {
        const struct record_head *record = recall_record_in(block, items[i].position);
        if (record == NULL || record->size_bytes != items[i].size_bytes) {
            fail(list, STATUS_CORRUPT, items[i].position);
            return;
        }
        memcpy(list->memory + (size_t)items[i].offset * RECORD_ALIGNMENT, record,
               record->size_bytes);
    }
}
