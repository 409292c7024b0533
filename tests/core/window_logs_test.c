/* One window over several logs: what is known is known in whichever log it lies, and each log
 * forgets by itself. */
#include "core/window.h"
#include "records.h"

static struct digest digest_of(uint64_t number)
{
    struct random random = {number};
    uint64_t low = random_u64(&random);
    return (struct digest){.low = low, .high = random_u64(&random)};
}

static struct window_claim claim_in(uint16_t log, uint32_t id, uint32_t body)
{
    static uint32_t bodies[8];
    bodies[body] = body;
    return (struct window_claim){
        .identity = digest_of(id),
        .body_digest = digest_of(UINT64_C(1) << 60 | body),
        .body = bytes_make(&bodies[body], sizeof bodies[0]),
        .log = log,
    };
}

static struct window_claim ask(struct window *window, struct window_claim claim, uint32_t now_s)
{
    window_ask(window, &claim, 1, now_s);
    return claim;
}

/* Asks, and sees the record through to its commit. */
static void keep(struct window *window, struct records *records, struct window_claim claim,
                 uint32_t now_s)
{
    claim = ask(window, claim, now_s);
    cr_assert_neq(claim.entry, WINDOW_NO_ENTRY);
    window_place(window, claim.entry, records_append(records, &claim));
    window_confirm(window, claim.entry);
}

static void expect(struct window *window, struct window_claim claim, uint32_t now_s,
                   enum verdict verdict)
{
    claim = ask(window, claim, now_s);
    cr_assert_str_eq(verdict_name(claim.verdict), verdict_name(verdict));
}

static struct window *open_window(struct records *records)
{
    const struct window_settings settings = {.entries_max = 1024,
                                             .unplaced_max = 16,
                                             .log_count = 2,
                                             .span_s = 10,
                                             .match = records_match,
                                             .context = records};
    struct window *window = NULL;
    cr_assert_eq(window_open(&settings, &window), STATUS_OK);
    return window;
}

Test(window_logs, an_identity_is_known_in_whichever_log_it_lies)
{
    struct records records;
    records_init(&records, 8);
    struct window *window = open_window(&records);
    keep(window, &records, claim_in(0, 1, 1), 1);
    expect(window, claim_in(1, 1, 1), 1, VERDICT_REPLAY);
    keep(window, &records, claim_in(1, 1, 2), 1); /* a conflict */
    keep(window, &records, claim_in(1, 1, 3), 1);
    for (uint32_t body = 1; body <= 3; body++)
        for (uint16_t log = 0; log < 2; log++)
            expect(window, claim_in(log, 1, body), 1, VERDICT_REPLAY);
    expect(window, claim_in(0, 1, 4), 1, VERDICT_CONFLICT);
    window_close(window);
    records_deinit(&records);
}

/* The youngest entry of the identity goes with its log, the oldest with its own. */
Test(window_logs, what_a_log_forgets_the_others_keep)
{
    struct records records;
    records_init(&records, 8);
    struct window *window = open_window(&records);
    keep(window, &records, claim_in(0, 1, 1), 1);
    keep(window, &records, claim_in(0, 1, 2), 1);
    keep(window, &records, claim_in(1, 1, 3), 1);
    keep(window, &records, claim_in(0, 2, 1), 1);
    window_forget_before(window, records.floors[1] = window_position(1, 1 << 20));
    window_forget_before(window, records.floors[0] = RECORDS_FIRST + RECORDS_STRIDE);
    expect(window, claim_in(1, 1, 2), 1, VERDICT_REPLAY);
    expect(window, claim_in(1, 2, 1), 1, VERDICT_REPLAY);
    expect(window, claim_in(1, 1, 1), 1, VERDICT_CONFLICT);
    expect(window, claim_in(0, 1, 3), 1, VERDICT_CONFLICT);
    struct window_figures figures;
    window_figures(window, &figures);
    cr_assert_eq(figures.forgotten, 2);
    window_close(window);
    records_deinit(&records);
}

Test(window_logs, what_was_found_out_elsewhere_goes_before_reading)
{
    struct records records;
    records_init(&records, 8);
    struct window *window = open_window(&records);
    keep(window, &records, claim_in(1, 1, 1), 1);
    records.are_foreign = true;
    struct window_claim claim = ask(window, claim_in(0, 1, 1), 1);
    cr_assert_eq(claim.verdict, VERDICT_UNREAD);
    struct window_known known = {claim.first_position, WINDOW_MATCH_BODY};
    claim.known = &known;
    claim.known_count = 1;
    expect(window, claim, 1, VERDICT_REPLAY);
    known.match = WINDOW_MATCH_DIGESTS;
    expect(window, claim, 1, VERDICT_COLLISION);
    known.match = WINDOW_MATCH_IDENTITY;
    expect(window, claim, 1, VERDICT_CONFLICT);
    known.match = WINDOW_MATCH_NOTHING; /* such a record is not there any more */
    claim.identity.low++;
    expect(window, claim, 1, VERDICT_FRESH);
    window_close(window);
    records_deinit(&records);
}

Test(window_logs, a_full_one_lets_the_oldest_go_in_whichever_log_it_lies)
{
    struct records records;
    records_init(&records, 2048);
    struct window *window = open_window(&records);
    for (uint32_t id = 0; id < 1024; id++)
        keep(window, &records, claim_in(id < 512, id, 1), 1 + id / 512);
    keep(window, &records, claim_in(0, 2000, 1), 2);
    expect(window, claim_in(0, 0, 1), 2, VERDICT_FRESH);
    expect(window, claim_in(0, 512, 1), 2, VERDICT_REPLAY);
    window_close(window);
    records_deinit(&records);
}

/* A twin of a pending one has its digest, and whether it has its bytes shows when those are there.
 */
Test(window_logs, a_lent_body_is_compared_when_it_is_placed)
{
    struct records records;
    records_init(&records, 8);
    struct window *window = open_window(&records);
    struct window_claim first = claim_in(0, 1, 1), twin = claim_in(0, 1, 1), other = twin;
    first.is_body_lent = true;
    first = ask(window, first, 1);
    other.body = BYTES_LITERAL("other bytes");
    twin = ask(window, twin, 1);
    other = ask(window, other, 1);
    cr_assert_eq(twin.verdict, VERDICT_REPLAY);
    cr_assert_eq(other.verdict, VERDICT_REPLAY);
    window_place(window, first.entry, records_append(&records, &first));
    uint64_t position = 0;
    cr_assert_eq(window_claim_state(window, &twin, &position), WINDOW_PLACED);
    cr_assert_eq(window_claim_state(window, &other, &position), WINDOW_GONE);
    expect(window, other, 1, VERDICT_COLLISION);
    window_close(window);
    records_deinit(&records);
}
