#include "core/ledger.h"

struct refusal_row {
    const char *name, *word, *text;
};

static const struct refusal_row refusals[REFUSAL_COUNT] = {
#define X(constant, name, word, text) [REFUSAL_##constant] = {name, word, text},
    REFUSAL_LIST(X)
#undef X
};

const char *refusal_name(enum refusal refusal)
{
    return refusals[refusal].name;
}

const char *refusal_word(enum refusal refusal)
{
    return refusals[refusal].word;
}

const char *refusal_text(enum refusal refusal)
{
    return refusals[refusal].text;
}

void intake_count_accepted(struct intake_account *account, enum verdict verdict)
{
    if (verdict == VERDICT_FRESH)
        account->fresh++;
    else if (verdict == VERDICT_CONFLICT)
        account->conflict++;
    else
        account->amendment++;
}

uint64_t intake_accepted(const struct intake_account *account)
{
    return account->fresh + account->conflict + account->amendment;
}

uint64_t intake_refused(const struct intake_account *account)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++)
        sum += account->refused[i];
    return sum;
}

void intake_add(struct intake_account *sum, const struct intake_account *account)
{
    sum->received += account->received;
    sum->fresh += account->fresh;
    sum->conflict += account->conflict;
    sum->amendment += account->amendment;
    sum->replay += account->replay;
    for (unsigned i = 0; i < REFUSAL_COUNT; i++)
        sum->refused[i] += account->refused[i];
    sum->undecided += account->undecided;
    sum->received_bytes += account->received_bytes;
}

int64_t intake_gap(const struct intake_account *account)
{
    return (int64_t)(account->received - intake_accepted(account) - account->replay -
                     intake_refused(account) - account->undecided);
}

int64_t outlet_gap(const struct outlet_account *account)
{
    return (int64_t)(account->routed + account->emitted - account->held - account->released -
                     account->hold_rejected - account->diverted - account->offered -
                     account->retained - account->unclaimed);
}

int64_t group_gap(const struct group_account *account)
{
    return (int64_t)(account->offered - account->acknowledged - account->pending -
                     account->backlog - account->dead_lettered - account->skipped -
                     account->dropped);
}
