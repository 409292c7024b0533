/* XADD: one command, one publication, whatever becomes of it. */
#include "io/front/command.h"

struct publish_arguments {
    struct bytes channel, producer, id, body;
};

/* NULL, or what is wrong. */
static const char *parse(const struct resp_command *command, struct publish_arguments *out)
{
    uint32_t at = 2;
    const struct bytes *arguments = command->arguments;
    *out = (struct publish_arguments){.channel = arguments[1]};
    for (; at < command->count && !bytes_equal(arguments[at], BYTES_LITERAL("*")); at++) {
        if (bytes_equal_fold(arguments[at], BYTES_LITERAL("NOMKSTREAM")))
            continue;
        if (bytes_equal_fold(arguments[at], BYTES_LITERAL("MAXLEN")) ||
            bytes_equal_fold(arguments[at], BYTES_LITERAL("MINID")))
            return COMMAND_NO_TRIM;
        if (!bytes_equal_fold(arguments[at], BYTES_LITERAL("IDMP")))
            break;
        if (command->count - at < 3)
            return "ERR syntax error";
        out->producer = arguments[at + 1];
        out->id = arguments[at + 2];
        if (out->producer.size == 0 || out->id.size == 0)
            return "ERR IDMP wants a producer and a message id that are not empty";
        at += 2;
    }
    if (at == command->count)
        return "ERR wrong number of arguments for 'xadd' command";
    if (!bytes_equal(arguments[at], BYTES_LITERAL("*")))
        return "ERR Kouan gives the ids: say * where the id stands";
    if ((command->count - at) % 2 == 0 || command->count - at < 3)
        return "ERR wrong number of arguments for 'xadd' command";
    if (command->count - at != 3)
        return "ERR XADD takes exactly one field here, body, and its value";
    if (!bytes_equal(arguments[at + 1], BYTES_LITERAL("body")))
        return "ERR the field must be called body; everything else is read from the message";
    out->body = arguments[at + 2];
    return NULL;
}

static void fail(struct publication *publication, const char *text)
{
    struct shard *shard = publication->slot.session->shard;
    publication_fail(&shard->publications, publication, "", text);
    session_slot_done(shard, &publication->slot);
}

static void refuse(struct publication *publication, struct intake_account *account,
                   enum refusal refusal)
{
    struct shard *shard = publication->slot.session->shard;
    account->received++;
    account->refused[refusal]++;
    publication_fail(&shard->publications, publication, refusal_word(refusal),
                     refusal_text(refusal));
    session_slot_done(shard, &publication->slot);
}

void command_xadd(struct session *session, const struct resp_command *command)
{
    struct shard *shard = session->shard;
    struct publish_arguments arguments;
    struct publication *publication = publication_take(&shard->publications);
    session_owe(session, &publication->slot);

    const char *problem = parse(command, &arguments);
    if (problem != NULL) {
        fail(publication, problem);
        return;
    }
    const struct channel *channel = generation_channel(shard->generation, arguments.channel);
    if (channel == NULL && shard->generation->open) {
        fail(publication, "ERR no such channel; `channels` in the configuration lists them");
        return;
    }
    if (channel == NULL || !participant_may_publish(session->participant, channel->index)) {
        fail(publication, "NOPERM this participant may not publish to that channel");
        return;
    }
    struct intake_account *account = shard_account(shard, session->participant, channel);
    account->received_bytes += arguments.body.size;
    if (arguments.body.size > shard->config->options.message_max) {
        refuse(publication, account, REFUSAL_TOO_BIG);
        return;
    }
    account->received++;
    account->undecided++;
    publication->channel = channel;
    publication->participant = session->participant;
    publication->body = arguments.body;
    publication->undecided = 1;
    publication->given_producer = arguments.producer;
    publication->given_id = arguments.id;
    publication->chunk = session_input_chunk(session);
    chunk_borrow(publication->chunk);
    intake_queue(shard, publication);
}
