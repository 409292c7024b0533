/* Plots as SVG that stands in a page by itself: lines through points, linear or logarithmic axes
 * with ticks at round numbers, a legend. Without scripts; colours, ink and lines are the page's
 * classes (bench/page/report_page.h), so that they follow light and dark; a point's note shows
 * where the pointer rests on it. The caller's memory; nothing is kept. */
#ifndef KOUAN_BENCH_CHART_H
#define KOUAN_BENCH_CHART_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    CHART_POINTS_MAX = 64,
    CHART_SERIES_MAX = 8,
    CHART_NAME_BYTES = 64,
    CHART_NOTE_BYTES = 224,
    CHART_TITLE_BYTES = 128
};

struct chart_point {
    double x, y;
    char note[CHART_NOTE_BYTES];
};

struct chart_series {
    char name[CHART_NAME_BYTES];
    uint32_t count;
    struct chart_point points[CHART_POINTS_MAX]; /* by growing x */
};

struct chart {
    char title[CHART_TITLE_BYTES];
    const char *x_label, *y_label; /* with the unit */
    bool x_is_log, y_is_log;       /* else linear, from 0 */
    const char *const *x_names;    /* of x = 0, 1, ... instead of numbers; or NULL */
    uint32_t x_name_count;
    uint32_t series_count;
    struct chart_series series[CHART_SERIES_MAX];
};

/* NULL: there are as many as can be. */
struct chart_series *chart_add_series(struct chart *chart, const char *name);
/* Where it belongs by its x. What does not fit is left out, and so is what a logarithmic axis has
 * no place for. */
void chart_add_point(const struct chart *chart, struct chart_series *series, double x, double y,
                     const char *note);

/* Nothing without points. */
void chart_print(const struct chart *chart, FILE *out);
bool chart_has_points(const struct chart *chart);

/* 1500 -> "1.5k", 2000000 -> "2m", 0.25 -> "0.25". */
const char *chart_number(double number, char text[24]);

/* Text that HTML would read otherwise. */
void chart_print_escaped(const char *text, FILE *out);

#endif
