/* What a C program does with Kouan through hiredis: publish, repeat, consume, acknowledge, take
 * over from a dead consumer, errors, a pipeline. Prints `ok STEP` for each step; ends with 1 at the
 * first that fails.   usage: hiredis_client PORT */
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIPELINED = 1000, ID_BYTES = 64, BODY_BYTES = 128 };

/* All are of one order, and so come in their order. */
static const char *body_of(int number, char out[BODY_BYTES])
{
    snprintf(out, BODY_BYTES,
             "{\"messageType\":\"ORDER\",\"messageId\":\"h-%d\",\"keys\":{\"order\":\"o\"}}",
             number);
    return out;
}

static void require(bool holds, const char *what, const redisReply *reply)
{
    if (holds)
        return;
    fprintf(stderr, "not so: %s (%s)\n", what,
            reply != NULL && reply->str != NULL ? reply->str : "no text");
    exit(1);
}

static redisContext *connect_to(int port)
{
    redisContext *context = redisConnect("127.0.0.1", port);
    require(context != NULL && context->err == 0, "it connects", NULL);
    return context;
}

static void publish(redisContext *context, int number, char out_id[ID_BYTES])
{
    char body[BODY_BYTES];
    size_t size = strlen(body_of(number, body));
    redisReply *reply = redisCommand(context, "XADD in * body %b", body, size);
    require(reply != NULL && reply->type == REDIS_REPLY_STRING, "a receipt", reply);
    snprintf(out_id, ID_BYTES, "%s", reply->str);
    freeReplyObject(reply);
}

/* The first entry that is taken; its body must be that of `number`. */
static void consume(redisContext *context, const char *consumer, int number, char out_id[ID_BYTES])
{
    char body[BODY_BYTES];
    redisReply *reply =
        redisCommand(context, "XREADGROUP GROUP all %s COUNT 1 BLOCK 1000 STREAMS all >", consumer);
    require(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 1, "a stream",
            reply);
    const redisReply *entries = reply->element[0]->element[1];
    require(entries->elements == 1, "an entry", reply);
    const redisReply *entry = entries->element[0], *fields = entry->element[1];
    require(strcmp(fields->element[0]->str, "body") == 0 &&
                strcmp(fields->element[1]->str, body_of(number, body)) == 0,
            "the body", fields->element[1]);
    snprintf(out_id, ID_BYTES, "%s", entry->element[0]->str);
    freeReplyObject(reply);
}

static long long number_of(redisReply *reply, const char *what)
{
    require(reply != NULL && reply->type == REDIS_REPLY_INTEGER, what, reply);
    long long number = reply->integer;
    freeReplyObject(reply);
    return number;
}

static void acknowledge(redisContext *context, const char *id)
{
    require(number_of(redisCommand(context, "XACK all all %s", id), "XACK") == 1, "it was pending",
            NULL);
}

static void publish_and_repeat(redisContext *context)
{
    char first[ID_BYTES], again[ID_BYTES];
    publish(context, 1, first);
    publish(context, 1, again);
    require(strcmp(first, again) == 0, "a repeat gets the first's receipt", NULL);
    require(number_of(redisCommand(context, "XLEN all"), "XLEN") == 1, "one message", NULL);
    puts("ok publish_and_repeat");
}

static void consume_and_acknowledge(redisContext *context)
{
    char id[ID_BYTES];
    consume(context, "me", 1, id);
    acknowledge(context, id);
    puts("ok consume_and_acknowledge");
}

static void take_over_from_a_dead_consumer(redisContext *context, int port)
{
    char published[ID_BYTES], taken[ID_BYTES];
    redisContext *dying = connect_to(port);
    publish(context, 2, published);
    consume(dying, "dying", 2, taken);
    require(strcmp(published, taken) == 0, "what was published is taken", NULL);
    redisFree(dying);
    redisReply *reply = redisCommand(context, "XAUTOCLAIM all all heir 0 0-0 COUNT 10");
    require(reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == 3,
            "three elements", reply);
    const redisReply *entries = reply->element[1];
    require(entries->elements == 1 && strcmp(entries->element[0]->element[0]->str, published) == 0,
            "the dead one's entry", reply);
    freeReplyObject(reply);
    acknowledge(context, published);
    puts("ok take_over_from_a_dead_consumer");
}

static void errors(redisContext *context)
{
    static const struct {
        const char *command, *word;
    } rows[] = {{"XADD in * body <", "REJECTED"},
                {"XREADGROUP GROUP nobody me STREAMS all >", "NOGROUP"},
                {"NOSUCH", "ERR unknown command"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        redisReply *reply = redisCommand(context, rows[i].command);
        require(reply != NULL && reply->type == REDIS_REPLY_ERROR &&
                    strncmp(reply->str, rows[i].word, strlen(rows[i].word)) == 0,
                rows[i].command, reply);
        freeReplyObject(reply);
    }
    puts("ok errors");
}

static void pipeline(redisContext *context)
{
    char body[BODY_BYTES], id[ID_BYTES];
    for (int i = 0; i < PIPELINED; i++) {
        size_t size = strlen(body_of(1000 + i, body));
        redisAppendCommand(context, "XADD in * body %b", body, size);
    }
    for (int i = 0; i < PIPELINED; i++) {
        redisReply *reply = NULL;
        require(redisGetReply(context, (void **)&reply) == REDIS_OK &&
                    reply->type == REDIS_REPLY_STRING,
                "a receipt for each", reply);
        freeReplyObject(reply);
    }
    for (int i = 0; i < PIPELINED; i++) {
        consume(context, "me", 1000 + i, id);
        acknowledge(context, id);
    }
    puts("ok pipeline");
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: hiredis_client PORT\n", stderr);
        return 2;
    }
    int port = atoi(argv[1]);
    redisContext *context = connect_to(port);
    publish_and_repeat(context);
    consume_and_acknowledge(context);
    take_over_from_a_dead_consumer(context, port);
    errors(context);
    pipeline(context);
    redisFree(context);
    return 0;
}
