#include "io/shard/mesh.h"

#include <stdlib.h>
#include <string.h>

#include "core/region.h"
#include "core/ring.h"

static_assert(sizeof(struct mesh_message) == RING_SLOT_BYTES, "");
static_assert(MESH_SHARDS_MAX <= 64, "one bit a peer");

/* From one shard to another: its asks there, and the answers that come back. */
struct link {
    struct {
        struct ring asks, answers;
    } lanes[MESH_LANES];
};

/* What an end knows of another. */
struct peer {
    struct mesh_end *end;
    struct link *out, *in; /* its own asks; the peer's */
    uint32_t unanswered[MESH_LANES];
    struct nudge nudge;
    bool nudge_is_ready;
};

enum sleep { AWAKE, ASLEEP, ASLEEP_UNTIL_CONSUMED };

struct mesh_end {
    /* Written by the peers, each its own bit: it has sent or consumed something. */
    _Alignas(RING_LINE_BYTES) _Atomic uint64_t doorbell;
    /* What this end is about; a peer that wakes it makes it AWAKE, so that one does. */
    _Alignas(RING_LINE_BYTES) _Atomic int sleep;

    _Alignas(RING_LINE_BYTES) struct mesh *mesh;
    struct loop *loop;
    uint16_t self;
    bool receiving, has_slept, awaits_consumption;
    uint64_t touched; /* peers to whom something was sent, or from whom something was consumed */
    uint64_t kept;    /* peers of whom a message was not accepted */
    struct peer *peers;
    struct mesh_handler handlers[MESH_LANES];
    void (*consumed)(void *context);
    void *consumed_context;
    struct mesh_figures figures;
};

struct mesh {
    uint16_t shards;
    struct mesh_end *ends;
    struct peer *peers; /* [end * shards + peer] */
    struct link *links; /* [from * shards + to] */
    struct region slots;
};

static void init_links(struct mesh *mesh);
static void init_ends(struct mesh *mesh);
static void begin_turn(void *context);
static bool end_turn(void *context, bool may_wait);

/* ---- open and close ---- */

/* A shard has so many slots over all its peers, but for a least number with each. */
static uint32_t lane_capacity(uint16_t shards, enum mesh_lane lane)
{
    static const struct {
        uint32_t most, least;
    } slots[MESH_LANES] = {
        [MESH_CONTROL] = {64, 16},
        [MESH_CLAIMS] = {1024, 128},
        [MESH_MESSAGES] = {2048, 128},
        [MESH_ERRANDS] = {256, 16},
    };
    uint32_t capacity = slots[lane].most;
    for (uint32_t peers = 2; peers <= shards - 1U && capacity > slots[lane].least; peers *= 2)
        capacity /= 2;
    return capacity;
}

static size_t link_slots(uint16_t shards)
{
    size_t slots = 0;
    for (int lane = 0; lane < MESH_LANES; lane++)
        slots += 2 * (size_t)lane_capacity(shards, (enum mesh_lane)lane);
    return slots;
}

static void *allocate_aligned(size_t count, size_t item_bytes)
{
    size_t bytes =
        count * item_bytes; /* a multiple of the alignment, as sizeof an aligned type is */
    void *memory = aligned_alloc(RING_LINE_BYTES, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

enum status mesh_open(uint16_t shards, struct mesh **out_mesh)
{
    assert(shards >= 1 && shards <= MESH_SHARDS_MAX);
    struct mesh *mesh = calloc(1, sizeof *mesh);
    if (mesh == NULL)
        return STATUS_NO_MEMORY;
    size_t pairs = (size_t)shards * shards;
    mesh->shards = shards;
    mesh->ends = allocate_aligned(shards, sizeof *mesh->ends);
    mesh->links = allocate_aligned(pairs, sizeof *mesh->links);
    mesh->peers = calloc(pairs, sizeof *mesh->peers);
    size_t slots = (pairs - shards) * link_slots(shards);
    enum status status = STATUS_NO_MEMORY;
    if (mesh->ends != NULL && mesh->links != NULL && mesh->peers != NULL)
        status =
            slots == 0 ? STATUS_OK : region_open(slots * sizeof(struct ring_slot), &mesh->slots);
    if (status != STATUS_OK) {
        mesh_close(mesh);
        return status;
    }
    init_links(mesh);
    init_ends(mesh);
    *out_mesh = mesh;
    return STATUS_OK;
}

static void init_links(struct mesh *mesh)
{
    struct ring_slot *slots = mesh->slots.memory;
    for (uint16_t from = 0; from < mesh->shards; from++)
        for (uint16_t to = 0; to < mesh->shards; to++)
            for (int lane = 0; lane < MESH_LANES && from != to; lane++) {
                struct link *link = &mesh->links[from * mesh->shards + to];
                uint32_t capacity = lane_capacity(mesh->shards, (enum mesh_lane)lane);
                ring_init(&link->lanes[lane].asks, slots, capacity);
                ring_init(&link->lanes[lane].answers, slots + capacity, capacity);
                slots += 2 * (size_t)capacity;
            }
}

static void init_ends(struct mesh *mesh)
{
    uint16_t shards = mesh->shards;
    for (uint16_t self = 0; self < shards; self++) {
        struct mesh_end *end = &mesh->ends[self];
        end->mesh = mesh;
        end->self = self;
        end->peers = &mesh->peers[self * shards];
        for (uint16_t other = 0; other < shards; other++)
            end->peers[other] = (struct peer){.end = &mesh->ends[other],
                                              .out = &mesh->links[self * shards + other],
                                              .in = &mesh->links[other * shards + self]};
    }
}

void mesh_close(struct mesh *mesh)
{
    if (mesh->slots.memory != NULL)
        region_close(&mesh->slots);
    free(mesh->ends);
    free(mesh->links);
    free(mesh->peers);
    free(mesh);
}

struct mesh_end *mesh_end(struct mesh *mesh, uint16_t shard)
{
    assert(shard < mesh->shards);
    return &mesh->ends[shard];
}

uint64_t mesh_memory_bytes(const struct mesh *mesh)
{
    size_t pairs = (size_t)mesh->shards * mesh->shards;
    return mesh->slots.size_bytes + mesh->shards * sizeof *mesh->ends +
           pairs * (sizeof *mesh->links + sizeof *mesh->peers);
}

void mesh_begin(struct mesh_end *end, struct loop *loop)
{
    end->loop = loop;
    if (end->mesh->shards > 1)
        loop_on_exchange(loop, &(struct loop_exchange){begin_turn, end_turn, end});
}

void mesh_leave(struct mesh_end *end)
{
    if (end->loop != NULL)
        loop_on_exchange(end->loop, &(struct loop_exchange){0});
    end->loop = NULL;
    for (uint16_t other = 0; other < end->mesh->shards; other++)
        end->peers[other].nudge.other = NULL;
}

void mesh_on(struct mesh_end *end, enum mesh_lane lane, const struct mesh_handler *handler)
{
    end->handlers[lane] = *handler;
}

uint16_t mesh_self(const struct mesh_end *end)
{
    return end->self;
}

uint16_t mesh_shards(const struct mesh_end *end)
{
    return end->mesh->shards;
}

uint32_t mesh_capacity(const struct mesh_end *end, enum mesh_lane lane)
{
    return lane_capacity(end->mesh->shards, lane);
}

/* ---- sending ---- */

static struct peer *peer_of(struct mesh_end *end, uint16_t to)
{
    assert(to < end->mesh->shards && to != end->self);
    return &end->peers[to];
}

static void put(struct mesh_end *end, uint16_t to, struct ring *ring,
                const struct mesh_message *message, bool has_answer)
{
    struct mesh_message *place = ring_place(ring);
    assert(place != NULL);
    *place = *message;
    place->from = (uint8_t)end->self;
    place->has_answer = has_answer;
    ring_push(ring);
    end->touched |= UINT64_C(1) << to;
}

/* Who is refused tries again in a later turn, and there is one as soon as there may be room. */
static bool refuse(struct mesh_end *end)
{
    end->figures.refusals++;
    end->awaits_consumption = true;
    return false;
}

bool mesh_ask(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
              const struct mesh_message *message)
{
    struct peer *peer = peer_of(end, to);
    struct ring *asks = &peer->out->lanes[lane].asks;
    if (peer->unanswered[lane] == ring_capacity(asks) || ring_place(asks) == NULL)
        return refuse(end);
    put(end, to, asks, message, true);
    peer->unanswered[lane]++;
    end->figures.asks++;
    return true;
}

bool mesh_tell(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
               const struct mesh_message *message)
{
    struct ring *asks = &peer_of(end, to)->out->lanes[lane].asks;
    if (ring_place(asks) == NULL)
        return refuse(end);
    put(end, to, asks, message, false);
    end->figures.notices++;
    return true;
}

void mesh_answer(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
                 const struct mesh_message *message)
{
    /* There is room: each ask was counted against it (mesh_ask), until its answer was read. */
    put(end, to, &peer_of(end, to)->in->lanes[lane].answers, message, false);
    end->figures.answers++;
}

uint32_t mesh_room(struct mesh_end *end, uint16_t to, enum mesh_lane lane)
{
    struct peer *peer = peer_of(end, to);
    struct ring *asks = &peer->out->lanes[lane].asks;
    uint32_t places = ring_room(asks);
    uint32_t answers = ring_capacity(asks) - peer->unanswered[lane];
    return places < answers ? places : answers;
}

uint64_t mesh_asked(struct mesh_end *end, uint16_t to, enum mesh_lane lane)
{
    return ring_written(&peer_of(end, to)->out->lanes[lane].asks);
}

bool mesh_is_consumed(struct mesh_end *end, uint16_t to, enum mesh_lane lane, uint64_t index)
{
    return ring_is_consumed(&peer_of(end, to)->out->lanes[lane].asks, index);
}

void mesh_await_consumption(struct mesh_end *end)
{
    end->awaits_consumption = true;
}

void mesh_on_consumption(struct mesh_end *end, void (*consumed)(void *context), void *context)
{
    end->consumed = consumed;
    end->consumed_context = context;
}

uint64_t mesh_unanswered(const struct mesh_end *end)
{
    uint64_t unanswered = 0;
    for (uint16_t other = 0; other < end->mesh->shards; other++)
        for (int lane = 0; lane < MESH_LANES; lane++)
            unanswered += end->peers[other].unanswered[lane];
    return unanswered;
}

/* ---- receiving ---- */

static bool receive_answers(struct mesh_end *end, struct peer *peer, int lane)
{
    struct ring *answers = &peer->out->lanes[lane].answers;
    const struct mesh_handler *handler = &end->handlers[lane];
    uint32_t count = ring_count(answers);
    for (uint32_t i = 0; i < count; i++) {
        const struct mesh_message *message = ring_front(answers);
        ring_pop(answers);
        assert(peer->unanswered[lane] > 0);
        peer->unanswered[lane]--;
        handler->answered(handler->context, message);
    }
    /* Before the next ask is shown: who answers that finds the places free. */
    return ring_release(answers);
}

static bool receive_asks(struct mesh_end *end, struct peer *peer, int lane)
{
    struct ring *asks = &peer->in->lanes[lane].asks;
    const struct mesh_handler *handler = &end->handlers[lane];
    uint32_t count = ring_count(asks);
    for (uint32_t i = 0; i < count; i++) {
        const struct mesh_message *message = ring_front(asks);
        if (!handler->asked(handler->context, message)) {
            end->figures.kept++;
            end->kept |= UINT64_C(1) << peer->end->self;
            break;
        }
        ring_pop(asks);
    }
    if (!ring_release(asks))
        return false;
    end->touched |= UINT64_C(1) << peer->end->self;
    return true;
}

bool mesh_receive(struct mesh_end *end)
{
    uint64_t senders = end->kept;
    if (atomic_load_explicit(&end->doorbell, memory_order_relaxed) != 0)
        /* Pairs with the fetch_or in mesh_flush: what rang is seen in the rings. */
        senders |= atomic_exchange_explicit(&end->doorbell, 0, memory_order_seq_cst);
    end->kept = 0;
    end->receiving = true;
    bool received = false;
    for (; senders != 0; senders &= senders - 1) {
        struct peer *peer = &end->peers[__builtin_ctzll(senders)];
        for (int lane = 0; lane < MESH_LANES; lane++)
            received |= receive_answers(end, peer, lane);
        for (int lane = 0; lane < MESH_LANES; lane++)
            received |= receive_asks(end, peer, lane);
    }
    end->receiving = false;
    return received;
}

/* ---- sleeping and waking ----
 *
 * The sleeper says that it sleeps and then looks at its doorbell; the sender rings the doorbell and
 * then looks whether it sleeps. All four are sequentially consistent, so at least one of them sees
 * what the other did, and no message lies before a sleeper. */

static void wake(struct mesh_end *end, struct peer *peer, bool has_sent)
{
    int sleep = atomic_load_explicit(&peer->end->sleep, memory_order_seq_cst);
    if (sleep == AWAKE || (sleep == ASLEEP && !has_sent))
        return;
    /* Of several that find it asleep, one wakes it. */
    if (!atomic_compare_exchange_strong_explicit(&peer->end->sleep, &sleep, AWAKE,
                                                 memory_order_seq_cst, memory_order_relaxed))
        return;
    if (!peer->nudge_is_ready)
        loop_nudge_init(end->loop, &peer->nudge, peer->end->loop);
    peer->nudge_is_ready = true;
    loop_nudge(end->loop, &peer->nudge);
    end->figures.wakes++;
}

void mesh_flush(struct mesh_end *end)
{
    assert(!end->receiving);
    for (; end->touched != 0; end->touched &= end->touched - 1) {
        struct peer *peer = &end->peers[__builtin_ctzll(end->touched)];
        bool has_sent = false;
        for (int lane = 0; lane < MESH_LANES; lane++) {
            has_sent |= ring_publish(&peer->out->lanes[lane].asks);
            has_sent |= ring_publish(&peer->in->lanes[lane].answers);
        }
        atomic_fetch_or_explicit(&peer->end->doorbell, UINT64_C(1) << end->self,
                                 memory_order_seq_cst);
        if (end->loop != NULL)
            wake(end, peer, has_sent);
    }
}

static bool end_turn(void *context, bool may_wait)
{
    struct mesh_end *end = context;
    mesh_flush(end);
    if (!may_wait)
        return true;
    int sleep = end->awaits_consumption ? ASLEEP_UNTIL_CONSUMED : ASLEEP;
    atomic_store_explicit(&end->sleep, sleep, memory_order_seq_cst);
    end->has_slept = true;
    return atomic_load_explicit(&end->doorbell, memory_order_seq_cst) == 0;
}

static void begin_turn(void *context)
{
    struct mesh_end *end = context;
    if (end->has_slept) {
        /* A peer that still sees it asleep wakes it once more, which costs a turn and no more. */
        atomic_store_explicit(&end->sleep, AWAKE, memory_order_relaxed);
        end->has_slept = false;
    }
    bool awaited = end->awaits_consumption;
    end->awaits_consumption = false;
    mesh_receive(end);
    if (awaited && end->consumed != NULL)
        end->consumed(end->consumed_context);
}

void mesh_figures(const struct mesh_end *end, struct mesh_figures *out_figures)
{
    *out_figures = end->figures;
}
