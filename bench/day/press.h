/* The press prints the messages of a planned day: the forms compiled for each e-port, and the
 * values of each message, all of them functions of the day's seed and the message's number. */
#ifndef KOUAN_BENCH_PRESS_H
#define KOUAN_BENCH_PRESS_H

#include "bench/day/day.h"

/* Ends the program if there is no memory, as arenas do. */
struct day_press *press_open(const struct day_settings *settings);
void press_close(struct day_press *press);

#endif
