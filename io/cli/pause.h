/* Waiting that SIGINT and SIGTERM end, for commands that follow something until they are told to
 * stop, and then end well. */
#ifndef KOUAN_IO_CLI_PAUSE_H
#define KOUAN_IO_CLI_PAUSE_H

#include <stdint.h>

enum pause_end { PAUSE_OVER, PAUSE_READABLE, PAUSE_STOPPED };

/* From now on the two signals no longer kill; the descriptor to wait on for them, or -1. */
int pause_open(void);

/* Until `descriptor` (-1: none) is readable, `timeout_ms` is over (negative: never), or a signal
 * came: it wins, and goes on to win each time. */
enum pause_end pause_wait(int signals, int descriptor, int timeout_ms);

#endif
