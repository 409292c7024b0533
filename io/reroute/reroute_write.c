#include "io/reroute/reroute_write.h"

#include "io/intake/append.h"
#include "io/journal/facts.h"
#include "io/shard/shard.h"

static struct hold *find_hold(const struct shard *shard, const struct fact_hold_end *end)
{
    struct hold *hold = hold_next(&shard->holds, end->id, end->destination);
    return hold != NULL && record_id_compare(hold->id, end->id) == 0 &&
                   hold->destination == end->destination
               ? hold
               : NULL;
}

static bool are_held_still(const struct shard *shard, const struct reroute_item *item)
{
    for (uint32_t i = 0; i < item->end_count; i++)
        if (find_hold(shard, &item->ends[i]) == NULL)
            return false;
    return true;
}

static void end_holds(struct shard *shard, const struct reroute_item *item)
{
    for (uint32_t i = 0; i < item->end_count; i++) {
        struct hold *hold = find_hold(shard, &item->ends[i]);
        struct outlet_account *account = &shard->outlets[hold->destination].account;
        account->held--;
        if (item->ends[i].how == HOLD_RELEASED)
            account->released++;
        else
            account->hold_rejected++;
        hold_end(&shard->holds, hold);
    }
}

/* ---- room ---- */

static void give_back(struct shard *shard, const struct reroute_item *item, uint32_t size_bytes,
                      unsigned before)
{
    const struct destination_set *deliver = &item->routing->deliver;
    for (unsigned d = destination_set_next(deliver, 0); d < before;
         d = destination_set_next(deliver, d + 1))
        outlet_unreserve(&shard->outlets[d], size_bytes);
}

/* At all destinations, or at none. */
static bool reserve(struct shard *shard, struct reroute_item *item, uint32_t size_bytes)
{
    const struct destination_set *deliver = &item->routing->deliver;
    for (unsigned d = destination_set_next(deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(deliver, d + 1))
        if (!outlet_try_reserve(&shard->outlets[d], size_bytes)) {
            item->full = (uint16_t)d;
            give_back(shard, item, size_bytes, d);
            return false;
        }
    uint32_t held = destination_set_count(&item->routing->hold);
    if (held == 0 || hold_try_reserve(&shard->holds, held, (uint64_t)held * size_bytes))
        return true;
    item->full = NO_DESTINATION;
    give_back(shard, item, size_bytes, DESTINATIONS_MAX);
    return false;
}

static void unreserve(struct shard *shard, const struct reroute_item *item, uint32_t size_bytes)
{
    uint32_t held = destination_set_count(&item->routing->hold);
    give_back(shard, item, size_bytes, DESTINATIONS_MAX);
    if (held > 0)
        hold_unreserve(&shard->holds, held, (uint64_t)held * size_bytes);
}

/* ---- writing ---- */

/* False: there is no room in the log yet. */
static bool write_record(struct shard *shard, struct reroute_item *item,
                         const struct append_shape *shape)
{
    uint64_t position;
    shard_log_set_time(shard);
    enum status status = append_rerouted(shard, item->routing, shape, &item->first, item->ends,
                                         item->end_count, &position);
    if (status != STATUS_OK) {
        unreserve(shard, item, shape->size_bytes);
        item->fate = status == STATUS_INCOMPLETE ? REROUTE_WAITS : REROUTE_LOG_FULL;
        return item->fate != REROUTE_WAITS;
    }
    end_holds(shard, item);
    commit_add(shard, &(struct commit_item){.position = position,
                                            .durable_from = shard->journal.end_position,
                                            .window_entry = WINDOW_NO_ENTRY,
                                            .reserved_bytes = shape->size_bytes});
    item->fate = REROUTE_WRITTEN;
    return true;
}

bool reroute_write(struct shard *shard, struct reroute_item *item)
{
    const struct append_shape shape = append_measure(item->routing);
    uint64_t size_bytes = shape.size_bytes + item->end_count * (uint64_t)sizeof *item->ends;
    if (!are_held_still(shard, item)) {
        item->fate = REROUTE_CHANGED;
        return true;
    }
    enum status room = append_has_message_room(shard, size_bytes);
    if (room == STATUS_INCOMPLETE || !commit_has_spare_room(shard, 1)) {
        shard_log_wake(shard);
        return false;
    }
    if (room != STATUS_OK)
        item->fate = REROUTE_LOG_FULL;
    else if (!reserve(shard, item, shape.size_bytes))
        item->fate = REROUTE_NO_ROOM;
    else
        return write_record(shard, item, &shape);
    return true;
}
