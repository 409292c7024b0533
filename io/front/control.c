#include "io/front/control.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/front/command.h"
#include "io/net/transport.h"

enum { CONTROL_MODE = 0600 };

static bool take(void *context, const struct listener *listener, int descriptor);

enum status control_open(struct control *control, struct shard *shard, char *out_problem,
                         size_t problem_capacity)
{
    char text[4096];
    struct address address;
    struct listener **listener = &shard->listeners[shard->listener_count];
    shard->control = control;
    if (!config_control_address(shard->config, text, sizeof text))
        return STATUS_OK;
    enum status status = address_parse(text, &address, out_problem, problem_capacity);
    address.mode = CONTROL_MODE;
    if (status == STATUS_OK)
        status = listener_open(shard->loop, shard->transport, &address, listener, out_problem,
                               problem_capacity);
    if (status != STATUS_OK && shard->config->control_path == NULL) {
        /* Nobody asked for it there, and messages go through without it. */
        fprintf(stderr, "kouan: no control socket, say `control: PATH`: %s\n", out_problem);
        return STATUS_OK;
    }
    if (status != STATUS_OK)
        return status;
    shard->listener_count++;
    listener_set_taker(*listener, &(struct listener_taker){take, shard});
    return STATUS_OK;
}

/* The file's mode says the same; a folder may have been opened to others, though. */
static bool may_control(const struct ucred *peer)
{
    return peer->uid == 0 || peer->uid == geteuid();
}

static bool take(void *context, const struct listener *listener, int descriptor)
{
    struct shard *shard = context;
    struct ucred peer;
    socklen_t size = sizeof peer;
    char text[64];
    (void)listener;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !may_control(&peer)) {
        close(descriptor);
        return true;
    }
    snprintf(text, sizeof text, "control:uid=%u:pid=%d", peer.uid, (int)peer.pid);
    shard->control->opening = &peer;
    if (transport_adopt(shard->transport, descriptor, text) != STATUS_OK)
        close(descriptor);
    shard->control->opening = NULL;
    return true;
}

/* ---- the loader ---- */

size_t control_answer_bytes_max(const struct session *session)
{
    enum { HEAD_BYTES = 256 };
    return session->shard->reply_capacity - HEAD_BYTES;
}

void control_ask(struct session *session, const struct reload_request *wanted)
{
    struct control *control = session->shard->control;
    struct reload_request request = *wanted;
    if (!session->is_control) {
        command_reply_error(session, "NOPERM only over the control socket (`control` in the "
                                     "configuration): kouan reload, or redis-cli -s PATH");
        return;
    }
    snprintf(request.by, sizeof request.by, "uid %u, pid %d", session->control_uid,
             (int)session->control_pid);
    if (!reload_ask(control->reload, &request)) {
        command_reply_error(session, "TRYAGAIN another one is being loaded, rehearsed or rerouted");
        return;
    }
    control->waiting = session;
    session_wait_for(session, SESSION_WAIT_RELOAD);
}

static void reply(struct session *session, const struct reload_answer *answer)
{
    struct resp_writer writer = session_reply_begin(session);
    struct bytes text = bytes_make(answer->text, answer->size);
    resp_write_array(&writer, 2);
    resp_write_bulk_text(&writer, answer->word);
    resp_write_verbatim(&writer, bytes_slice(text, 0, control_answer_bytes_max(session)));
    session_reply_end(session, &writer);
}

void control_answer(struct control *control)
{
    struct reload_answer answer;
    if (!reload_take_answer(control->reload, &answer))
        return;
    struct session *session = control->waiting;
    control->waiting = NULL;
    if (session != NULL) {
        reply(session, &answer);
        session_wait_over(session, SESSION_WAIT_RELOAD);
        if (session->finishing)
            session_finish(session);
    }
    free(answer.text);
}

/* The peer of a Unix socket that has only stopped to send has not hung up. */
void control_end(const struct session *session)
{
    const struct control *control = session->shard->control;
    struct pollfd peer = {.fd = session->connection->descriptor};
    if (control != NULL && control->waiting == session && poll(&peer, 1, 0) > 0 &&
        (peer.revents & (POLLHUP | POLLERR)) != 0)
        reload_abandon(control->reload);
}

void control_leave(struct session *session)
{
    struct control *control = session->shard->control;
    if (control == NULL || control->waiting != session)
        return;
    control->waiting = NULL;
    reload_abandon(control->reload);
}
