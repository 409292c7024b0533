/* What became of messages of the journal since they came in: a message and all records that repeat
 * it, released, from a dead letter or rerouted, are one family, by the id of the first; where that
 * has been, where it is held still, and under which generation it was rerouted last. Filled from
 * the records of one log after the other, as they lie there. No file, no clock; one thread. The
 * memory is the module's own. */
#ifndef KOUAN_IO_REROUTE_FAMILIES_H
#define KOUAN_IO_REROUTE_FAMILIES_H

#include "core/destination_set.h"
#include "core/fact.h"

#define REROUTE_NONE UINT32_MAX

/* How it stands to the present generation. */
enum reroute_stand {
    REROUTE_UNDECIDED,
    REROUTE_GOES_ON, /* to destinations where it has not been */
    REROUTE_STAYS,   /* no rule sends it where it has not been */
    REROUTE_ALREADY, /* it was rerouted under this generation */
    REROUTE_REFUSED,
    REROUTE_ORPHANED, /* its sender is gone, or may not send there any more */
    REROUTE_LOST,     /* its first record is not in the journal any more */
    REROUTE_STAND_COUNT
};

struct family {
    struct record_id id;         /* of the first record */
    struct destination_set been; /* where it went, but for where it was given up */
    struct destination_set held; /* and where it waits for an operator */
    uint64_t rerouted_by;        /* the number of the generation; 0: none */
    uint32_t last_hold;
    bool is_there; /* its first record is, where it was written */
    bool is_asked; /* false: it is another one's after all, or behind the last ones */
    enum reroute_stand stand;
    bool is_done; /* it went on, or could not */
};

/* A record under which it was held. */
struct family_hold {
    struct record_id id;
    uint32_t before; /* the family's, or REROUTE_NONE */
    uint16_t destination;
    bool has_ended;
};

struct families {
    struct family *items;
    uint32_t count, capacity;
    struct family_hold *holds;
    uint32_t hold_count, hold_capacity;
    struct family_place {
        struct record_id id; /* 0-0: free */
        uint32_t family;
    } * places; /* by id, open: every record of each family */
    uint32_t place_count, place_capacity;
    /* The log that is read: its families begin here; what must be read once more, from where. */
    uint32_t log_first, log_first_hold;
    bool is_incomplete;
    struct record_id lowest;
};

void families_close(struct families *families);

/* NULL: no record of that id is known to be of one. */
struct family *families_find(const struct families *families, struct record_id id);
/* That of the record with this id is asked for, whichever record of it that is. */
void families_want(struct families *families, struct record_id id);

/* Another log begins; or the same is read once more, from `lowest` on, while `is_incomplete`. */
void families_begin_log(struct families *families);
void families_begin_again(struct families *families);

/* In the order of the log. `been` and `held`: of the record alone, by the indices of today;
 * `is_wanted`: it is one of those that are asked for. */
void families_take_message(struct families *families, const struct record *record,
                           const struct destination_set *been, const struct destination_set *held,
                           bool is_wanted);
void families_take_hold_end(struct families *families, struct record_id id, uint16_t destination);
/* Given up there, and gone to its dead letter. */
void families_take_burial(struct families *families, struct record_id id, uint16_t destination);

/* Of those that are asked for, only the last `count`. */
void families_keep_last(struct families *families, uint32_t count);

#endif
