/* The proof finds everything that a server can do wrong, and nothing in what is right. */
#include "bench/race/proof.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MESSAGES = 400, STREAMS = 3 };

struct scene {
    struct cargo cargo;
    struct proof proof;
    uint64_t next_seq;
};

static void open_scene(struct scene *scene, struct scenario *scenario, bool dedupes,
                       uint32_t connections, uint32_t logs)
{
    scenario->connection_count = connections;
    cr_assert_eq(cargo_open(scenario, MESSAGES, 7, &scene->cargo), STATUS_OK);
    const struct proof_settings settings = {
        .cargo = &scene->cargo,
        .promise = {.dedupes = dedupes, .has_receipts = true, .has_ids = true},
        .destination_count = scenario->destination_count,
        .consumer_count = 1,
        .logs = logs,
    };
    cr_assert_eq(proof_open(&settings, &scene->proof), STATUS_OK);
    scene->next_seq = 0;
}

/* `full`: replays, and two destinations. */
static void open_full(struct scene *scene, bool dedupes)
{
    struct scenario scenario;
    cr_assert(scenario_find("full", &scenario));
    open_scene(scene, &scenario, dedupes, STREAMS, 1);
}

static void close_scene(struct scene *scene)
{
    proof_close(&scene->proof);
    cargo_close(&scene->cargo);
}

static struct record_id next_id(struct scene *scene)
{
    return (struct record_id){1795426080244, scene->next_seq++};
}

static bool is_repeat(const struct scene *scene, uint32_t index)
{
    return scene->cargo.messages[index].twin != CARGO_NO_MESSAGE;
}

/* Receipts for all, as a server that dedupes gives them, or one that keeps all. */
static void answer_all(struct scene *scene, bool dedupes)
{
    for (uint32_t s = 0; s < scene->cargo.stream_count; s++)
        for (uint32_t i = scene->cargo.stream_first[s]; i < scene->cargo.stream_first[s + 1]; i++) {
            bool repeats = dedupes && is_repeat(scene, i);
            struct record_id id =
                repeats ? scene->proof.messages[scene->cargo.messages[i].twin].id : next_id(scene);
            proof_receipt(&scene->proof, s, i, id);
        }
}

static uint32_t deliver(struct scene *scene, uint32_t consumer, uint32_t index)
{
    uint32_t found = CARGO_NO_MESSAGE;
    size_t size;
    struct bytes entry = cargo_entry(&scene->cargo, index);
    cr_assert_eq(proof_deliver_entry(&scene->proof, consumer, scene->proof.messages[index].id,
                                     entry, &found, &size),
                 STATUS_OK);
    cr_assert_eq(size, entry.size);
    return found;
}

static void deliver_all(struct scene *scene, uint32_t consumer, bool dedupes)
{
    for (uint32_t i = 0; i < MESSAGES; i++)
        if (!dedupes || !is_repeat(scene, i))
            cr_assert_eq(deliver(scene, consumer, i), i);
}

static uint64_t count(const struct scene *scene, enum finding finding)
{
    return scene->proof.findings.counts[finding];
}

Test(proof, finds_nothing_in_a_run_that_is_right)
{
    for (int dedupes = 0; dedupes < 2; dedupes++) {
        struct scene scene;
        open_full(&scene, dedupes);
        cr_assert_gt(scene.cargo.message_count - scene.cargo.first_count, 10);
        answer_all(&scene, dedupes);
        deliver_all(&scene, 0, dedupes);
        cr_assert_not(proof_is_whole(&scene.proof));
        deliver_all(&scene, 1, dedupes);
        cr_assert(proof_is_whole(&scene.proof));
        cr_assert_eq(scene.proof.looked_up_count, 0);
        cr_assert_eq(proof_finish(&scene.proof), 0, "%s", scene.proof.findings.samples[0]);
        close_scene(&scene);
    }
}

Test(proof, follows_deliveries_that_come_before_their_receipts)
{
    struct scene scene;
    struct record_id ids[MESSAGES];
    open_full(&scene, false);
    for (uint32_t consumer = 0; consumer < 2; consumer++)
        for (uint32_t i = 0; i < MESSAGES; i++) {
            if (consumer == 0)
                ids[i] = next_id(&scene);
            cr_assert_eq(proof_deliver(&scene.proof, consumer, ids[i], cargo_body(&scene.cargo, i)),
                         i);
        }
    for (uint32_t i = 0; i < MESSAGES; i++)
        proof_receipt(&scene.proof, cargo_stream_of(&scene.cargo, i), i, ids[i]);
    cr_assert(proof_is_whole(&scene.proof));
    cr_assert_eq(proof_finish(&scene.proof), 0);
    close_scene(&scene);
}

Test(proof, finds_streams_in_turns_and_other_orders)
{
    struct scene scene;
    open_full(&scene, true);
    answer_all(&scene, true);
    for (uint32_t place = 0; place < MESSAGES; place++)
        for (uint32_t s = 0; s < STREAMS; s++) {
            uint32_t i = scene.cargo.stream_first[s] + place;
            if (i < scene.cargo.stream_first[s + 1] && !is_repeat(&scene, i))
                cr_assert_eq(deliver(&scene, 0, i), i);
        }
    cr_assert_eq(scene.proof.looked_up_count, 0);
    cr_assert_gt(count(&scene, FINDING_ORDER), 0, "their ids do not rise");
    close_scene(&scene);
}

Test(proof, finds_what_is_lost_doubled_altered_or_invented)
{
    struct scene scene;
    uint8_t altered[DAY_MESSAGE_BYTES_MAX];
    open_full(&scene, true);
    answer_all(&scene, true);
    deliver_all(&scene, 0, true);
    cr_assert_eq(deliver(&scene, 0, 5), 5);
    cr_assert_eq(count(&scene, FINDING_DUPLICATE), 1);
    struct bytes body = cargo_body(&scene.cargo, 0);
    memcpy(altered, body.data, body.size);
    altered[body.size - 3] ^= 1;
    cr_assert_eq(proof_deliver(&scene.proof, 1, next_id(&scene), bytes_make(altered, body.size)),
                 CARGO_NO_MESSAGE);
    cr_assert_eq(count(&scene, FINDING_UNKNOWN), 1);
    proof_finish(&scene.proof);
    cr_assert_eq(count(&scene, FINDING_LOST), scene.cargo.first_count);
    cr_assert_eq(count(&scene, FINDING_NO_RECEIPT), 0);
    close_scene(&scene);
}

Test(proof, finds_wrong_receipts)
{
    struct scene scene;
    open_full(&scene, true);
    proof_receipt(&scene.proof, 0, 0, (struct record_id){5, 5});
    proof_receipt(&scene.proof, 0, 1, (struct record_id){5, 5});
    cr_assert_eq(count(&scene, FINDING_OLD_RECEIPT), 1);
    uint32_t repeat = 0;
    while (!is_repeat(&scene, repeat))
        repeat++;
    uint32_t stream = cargo_stream_of(&scene.cargo, repeat);
    uint32_t twin = scene.cargo.messages[repeat].twin;
    if (twin > 1)
        proof_receipt(&scene.proof, stream, twin, (struct record_id){6, twin});
    proof_receipt(&scene.proof, stream, repeat, (struct record_id){7, 1});
    cr_assert_eq(count(&scene, FINDING_WRONG_RECEIPT), 1);
    proof_receipt(&scene.proof, 0, 0, (struct record_id){5, 5});
    cr_assert_eq(count(&scene, FINDING_SHARED_RECEIPT), 1);
    proof_refusal(&scene.proof, MESSAGES - 1, BYTES_LITERAL("REJECTED"));
    cr_assert_eq(count(&scene, FINDING_REFUSED), 1);
    proof_finish(&scene.proof);
    cr_assert_gt(count(&scene, FINDING_NO_RECEIPT), MESSAGES / 2);
    close_scene(&scene);
}

Test(proof, waits_for_the_rest_of_an_entry)
{
    struct scene scene;
    open_full(&scene, true);
    answer_all(&scene, true);
    struct bytes entry = cargo_entry(&scene.cargo, 0);
    for (size_t cut = 0; cut < entry.size; cut++) {
        uint32_t index;
        size_t size;
        cr_assert_eq(proof_deliver_entry(&scene.proof, 0, scene.proof.messages[0].id,
                                         bytes_slice(entry, 0, cut), &index, &size),
                     STATUS_INCOMPLETE, "cut at %zu", cut);
    }
    cr_assert_eq(scene.proof.delivered_count, 0);
    cr_assert_eq(deliver(&scene, 0, 0), 0);
    close_scene(&scene);
}

Test(proof, looks_up_what_comes_over_many_connections)
{
    struct scene scene;
    struct scenario scenario;
    cr_assert(scenario_find("wire", &scenario));
    open_scene(&scene, &scenario, true, 100, 1);
    for (uint32_t n = 0; n < MESSAGES; n++) {
        uint32_t i = n * 37 % MESSAGES;
        cr_assert_eq(proof_deliver(&scene.proof, 0, next_id(&scene), cargo_body(&scene.cargo, i)),
                     i);
    }
    cr_assert_eq(scene.proof.looked_up_count, MESSAGES);
    cr_assert_eq(findings_count(&scene.proof.findings), 0);
    close_scene(&scene);
}

Test(proof, finds_a_key_in_two_logs)
{
    struct scene scene;
    struct scenario scenario;
    cr_assert(scenario_find("wire", &scenario));
    open_scene(&scene, &scenario, true, 1, 2);
    struct record_id ids[] = {{1, 0}, {1, 256}, {1, 1}};
    cr_assert_eq(scene.cargo.messages[0].key, scene.cargo.messages[2].key);
    for (uint32_t i = 0; i < 3; i++)
        proof_receipt(&scene.proof, 0, i, ids[i]);
    cr_assert_eq(deliver(&scene, 0, 0), 0);
    cr_assert_eq(deliver(&scene, 0, 1), 1);
    cr_assert_eq(count(&scene, FINDING_ORDER), 0);
    cr_assert_eq(deliver(&scene, 0, 2), 2);
    cr_assert_eq(count(&scene, FINDING_ORDER), 1);
    close_scene(&scene);
}
