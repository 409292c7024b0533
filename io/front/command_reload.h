/* What the control socket alone may (io/front/control.h): subcommands of KOUAN. */
#ifndef KOUAN_IO_COMMAND_RELOAD_H
#define KOUAN_IO_COMMAND_RELOAD_H

#include "io/front/command.h"

/* False: it is none of them. */
bool command_reload(struct session *session, const struct resp_command *command);

#endif
