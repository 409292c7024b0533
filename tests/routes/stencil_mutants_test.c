/* Many messages, and what becomes of them by one byte or three: a reader that has learnt them reads
 * them as one does that learns nothing. */
#include <fts.h>

#include "stencil_fixture.h"

static unsigned pick(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

/* One byte becomes another, or goes, or comes. */
static size_t mutate(uint64_t *chance, uint8_t *body, size_t size)
{
    static const char bytes[] = "01aZ <>&;\"'/\\]-.,:+?*{}[e\r\n\t\x01\xE4\xB8\xAD\x80";
    size_t at = pick(chance, (unsigned)size);
    uint8_t byte = (uint8_t)bytes[pick(chance, sizeof bytes - 1)];
    switch (pick(chance, 3)) {
    case 0: body[at] = byte; return size;
    case 1: memmove(body + at, body + at + 1, size - at - 1); return size - 1;
    default:
        memmove(body + at + 1, body + at, size - at);
        body[at] = byte;
        return size + 1;
    }
}

static void check_file(struct learner *learner, struct bytes text, unsigned *out_known)
{
    enum { MUTANTS = 60, MUTATIONS_MAX = 3 };
    uint64_t chance = text.size;
    stencils_forget(learner->fixture->reader.stencils); /* what it has learnt, and what that cost */
    struct bytes body = fixture_body(text, 0);
    read_both_ways(learner, NULL, body);
    *out_known += is_known(learner, NULL, body);
    read_both_ways(learner, NULL, body);
    uint8_t *mutant = calloc(1, text.size + MUTATIONS_MAX + BYTES_PADDING);
    for (unsigned i = 0; i < MUTANTS && text.size > MUTATIONS_MAX; i++) {
        size_t size = text.size;
        memcpy(mutant, text.data, size);
        for (unsigned k = pick(&chance, MUTATIONS_MAX) + 1; k > 0; k--)
            size = mutate(&chance, mutant, size);
        read_both_ways(learner, NULL, bytes_make(mutant, size));
    }
    free(mutant);
    free((void *)(uintptr_t)body.data);
}

static void check_folder(const char *folder, unsigned known_min)
{
    struct learner *learner = open_learner(NULL);
    char *paths[] = {(char *)(uintptr_t)folder, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    unsigned known = 0;
    cr_assert_not_null(tree);
    for (FTSENT *entry; (entry = fts_read(tree)) != NULL;) {
        if (entry->fts_info != FTS_F || entry->fts_statp->st_size > STENCIL_BODY_BYTES_MAX)
            continue;
        struct bytes text = fixture_load(entry->fts_path);
        cr_assert_not_null(text.data);
        check_file(learner, text, &known);
        free((void *)(uintptr_t)text.data);
    }
    fts_close(tree);
    close_learner(learner);
    cr_expect_geq(known, known_min, "%s: %u", folder, known);
}

Test(stencil_mutants, reads_mutants_alike)
{
    check_folder("tests/data/ceb", 8);
    check_folder("tests/data/json", 3);
    check_folder("tests/data/kj", 4);
    check_folder("tests/data/edifact", 3);
    check_folder("tests/data/profiles", 20);
}

Test(stencil_mutants, reads_mutants_of_the_corpus_alike)
{
    const char *corpus = fixture_corpus();
    if (corpus != NULL)
        check_folder(corpus, 250);
}

/* Of these, some may be read by their forms, but all as ever. */
Test(stencil_mutants, reads_unusual_edifact_alike)
{
    static const char yaml[] =
        "profile: p\nfamily: f\nformat: edifact\nrecognise: { type: T }\nfields:\n"
        "  message_type: UNH/2/1\n  status: BGM/1/1\n  goods_code: \"CST[2/2=122]/2/1\"\n";
    static const char *const bodies[] = {
        "UNA:+.? 'UNB+UNOC:3+S+R'UNH+1+T:D'BGM+1'UNT+2+1'UNZ+1+1'",
        "UNA:+.?*'UNB+UNOC:4+S+R'UNH+1+T:D'BGM+1*2:3'UNT+2+1'UNZ+1+1'",
        "UNA:+.* 'UNB+UNOC:3+S+R'UNH+1+T:D'BGM+1*'2'UNT+2+1'UNZ+1+1'",
        "UNB+UNOC:4+S+R'UNH+1+T:D'CST+1+a:b*c:122'UNT+2+1'UNZ+1+1'",
        "UNB+UNOC:4+S+R'UNH+1+T:D'CST+1+a:122*c:d'UNT+2+1'UNZ+1+1'",
        "UNB+UNOA:1+A+B\"UNH+1+T:D\"BGM+1\"UNT+2+1\"UNZ+1+1\"",
        "UNB+UNOA:1+A+B'\nUNH+1+T:D\nBGM+1\nUNT+2+1\nUNZ+1+1\n",
        "UNB+UNOA:1+A+B+260102:1200+77'UNH+1+T:D'BGM:1+1'BGM:2+4'UNT+2+1'UNZ+1+1'",
        "UNB+UNOA:1+A+B'UNH+1+T:D'\nFTX+AAA+11'\nFTX+AAA+2\n2'UNT+2+1'UNZ+1+1'",
        "\xEF\xBB\xBFUNB+UNOA:1+A+B'UNH+1+T:D'BGM+1'UNT+2+1'UNZ+1+1'",
        "UNH+1+T:D'BGM+1'UNT+2+1'",
    };
    struct learner *learner = open_learner(yaml);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        unsigned known = 0;
        check_file(learner, bytes_from_text(bodies[i]), &known);
    }
    close_learner(learner);
}
