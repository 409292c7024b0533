/* KOUAN STATUS kind:value, or a value alone, which is looked for under every kind. */
#ifndef KOUAN_IO_COMMAND_STATUS_H
#define KOUAN_IO_COMMAND_STATUS_H

#include "io/front/command.h"

/* An array of what is known, at this log, of the cases that the participant may see: operators all,
 * others those in which they took part. */
void command_status(struct session *session, const struct resp_command *command);

#endif
