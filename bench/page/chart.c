#include "bench/page/chart.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    WIDTH = 640,
    HEIGHT = 340,
    LEFT = 62,
    RIGHT = 18,
    TOP = 34,
    BOTTOM = 64,
    TICKS_MAX = 32,
    LINEAR_STEPS = 6,
    LEGEND_LETTER = 7, /* pixels, about */
    LEGEND_GAP = 34
};

/* An axis in data and in pixels. */
struct axis {
    bool is_log;
    double low, high; /* logarithms, if it is_log */
    double from, to;  /* pixels */
    double ticks[TICKS_MAX];
    uint32_t tick_count;
};

/* ---- Gathered -------------------------------------------------------------------------------- */

struct chart_series *chart_add_series(struct chart *chart, const char *name)
{
    if (chart->series_count == CHART_SERIES_MAX)
        return NULL;
    struct chart_series *series = &chart->series[chart->series_count++];
    series->count = 0;
    snprintf(series->name, sizeof series->name, "%s", name);
    return series;
}

void chart_add_point(const struct chart *chart, struct chart_series *series, double x, double y,
                     const char *note)
{
    if (series == NULL || series->count == CHART_POINTS_MAX || !isfinite(x) || !isfinite(y) ||
        (chart->x_is_log && x <= 0) || (chart->y_is_log && y <= 0))
        return;
    uint32_t at = series->count++;
    for (; at > 0 && series->points[at - 1].x > x; at--)
        series->points[at] = series->points[at - 1];
    struct chart_point *point = &series->points[at];
    point->x = x;
    point->y = y;
    snprintf(point->note, sizeof point->note, "%s", note);
}

bool chart_has_points(const struct chart *chart)
{
    for (uint32_t i = 0; i < chart->series_count; i++)
        if (chart->series[i].count > 0)
            return true;
    return false;
}

const char *chart_number(double number, char text[24])
{
    double size = fabs(number);
    const char *unit = size >= 1e9 ? "g" : size >= 1e6 ? "m" : size >= 1e3 ? "k" : "";
    double shown = size >= 1e9   ? number / 1e9
                   : size >= 1e6 ? number / 1e6
                   : size >= 1e3 ? number / 1e3
                                 : number;
    snprintf(text, 24, "%.3g%s", shown, unit);
    return text;
}

void chart_print_escaped(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default: fputc(*text, out);
        }
}

/* ---- Axes ------------------------------------------------------------------------------------ */

static void add_tick(struct axis *axis, double value)
{
    double slack = (axis->high - axis->low) * 1e-9;
    double at = axis->is_log ? log10(value) : value;
    if (axis->tick_count < TICKS_MAX && at >= axis->low - slack && at <= axis->high + slack)
        axis->ticks[axis->tick_count++] = value;
}

/* Steps of 1, 2 or 5 times a power of ten, at most LINEAR_STEPS; the axis ends at one. */
static void choose_linear(struct axis *axis)
{
    double span = axis->high > 0 ? axis->high : 1, least = span / LINEAR_STEPS;
    double step = pow(10, floor(log10(least)));
    step *= step >= least ? 1 : 2 * step >= least ? 2 : 5 * step >= least ? 5 : 10;
    axis->low = 0;
    axis->high = ceil(span / step) * step;
    for (double value = 0; value <= axis->high * 1.0001; value += step)
        add_tick(axis, value);
}

/* With some room at both ends; each power of ten, with few of them also twice and five times that.
 */
static void choose_log(struct axis *axis)
{
    double room = axis->high - axis->low < 0.5 ? 0.3 : 0.06;
    axis->low -= room;
    axis->high += room;
    double span = axis->high - axis->low;
    for (int power = (int)floor(axis->low); power <= (int)ceil(axis->high); power++) {
        add_tick(axis, pow(10, power));
        if (span < 3) {
            add_tick(axis, 2 * pow(10, power));
            add_tick(axis, 5 * pow(10, power));
        }
    }
}

/* Where points are, as they are few, and at numbers that somebody chose. */
static void choose_points(const struct chart *chart, struct axis *axis)
{
    if (axis->high - axis->low < 0.1) {
        axis->low -= 0.3;
        axis->high += 0.3;
    }
    for (uint32_t s = 0; s < chart->series_count; s++)
        for (uint32_t i = 0; i < chart->series[s].count; i++) {
            uint32_t at = 0;
            while (at < axis->tick_count && axis->ticks[at] != chart->series[s].points[i].x)
                at++;
            if (at == axis->tick_count)
                add_tick(axis, chart->series[s].points[i].x);
        }
}

static struct axis open_axis(const struct chart *chart, bool is_x)
{
    struct axis axis = {.is_log = is_x ? chart->x_is_log : chart->y_is_log,
                        .low = INFINITY,
                        .high = -INFINITY,
                        .from = is_x ? LEFT : HEIGHT - BOTTOM,
                        .to = is_x ? WIDTH - RIGHT : TOP};
    for (uint32_t s = 0; s < chart->series_count; s++)
        for (uint32_t i = 0; i < chart->series[s].count; i++) {
            const struct chart_point *point = &chart->series[s].points[i];
            double value = is_x ? point->x : point->y;
            value = axis.is_log ? log10(value) : value;
            axis.low = fmin(axis.low, value);
            axis.high = fmax(axis.high, value);
        }
    if (is_x && chart->x_names != NULL) {
        axis.low = -0.5;
        axis.high = chart->x_name_count - 0.5;
    } else if (axis.is_log && is_x) {
        choose_points(chart, &axis);
    } else if (axis.is_log) {
        choose_log(&axis);
    } else {
        choose_linear(&axis);
    }
    return axis;
}

static double place(const struct axis *axis, double value)
{
    double at = axis->is_log ? log10(value) : value;
    return axis->from + (at - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

/* ---- Drawn ----------------------------------------------------------------------------------- */

static void print_y_axis(const struct chart *chart, const struct axis *y, FILE *out)
{
    char text[24];
    for (uint32_t i = 0; i < y->tick_count; i++) {
        double at = place(y, y->ticks[i]);
        fprintf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                WIDTH - RIGHT, at, at);
        fprintf(out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                LEFT - 7, at + 4, chart_number(y->ticks[i], text));
    }
    fputs("<text class=\"label\" x=\"8\" y=\"18\">", out);
    chart_print_escaped(chart->y_label, out);
    fputs("</text>\n", out);
}

static void print_x_tick(double at, const char *name, FILE *out)
{
    fprintf(out,
            "<line class=\"axis\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
            "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">",
            at, at, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 4, at, HEIGHT - BOTTOM + 18);
    chart_print_escaped(name, out);
    fputs("</text>\n", out);
}

static void print_x_axis(const struct chart *chart, const struct axis *x, FILE *out)
{
    enum { NAME_PIXELS = 58 };
    char text[24];
    fprintf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>\n", LEFT,
            WIDTH - RIGHT, HEIGHT - BOTTOM, HEIGHT - BOTTOM);
    for (uint32_t i = 0; i < x->tick_count; i++)
        print_x_tick(place(x, x->ticks[i]), chart_number(x->ticks[i], text), out);
    uint32_t fit = (WIDTH - LEFT - RIGHT) / NAME_PIXELS;
    uint32_t every = (chart->x_name_count + fit - 1) / fit;
    for (uint32_t i = 0; i < chart->x_name_count; i += every)
        print_x_tick(place(x, i), chart->x_names[i], out);
    fprintf(out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT,
            HEIGHT - BOTTOM + 36);
    chart_print_escaped(chart->x_label, out);
    fputs("</text>\n", out);
}

static void print_series(const struct chart_series *series, uint32_t number, const struct axis *x,
                         const struct axis *y, FILE *out)
{
    if (series->count == 0)
        return;
    fprintf(out, "<polyline class=\"line s%u\" points=\"", number);
    for (uint32_t i = 0; i < series->count; i++)
        fprintf(out, "%.1f,%.1f ", place(x, series->points[i].x), place(y, series->points[i].y));
    fputs("\"/>\n", out);
    for (uint32_t i = 0; i < series->count; i++) {
        const struct chart_point *point = &series->points[i];
        fprintf(out, "<circle class=\"dot s%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>", number,
                place(x, point->x), place(y, point->y));
        chart_print_escaped(point->note, out);
        fputs("</title></circle>\n", out);
    }
}

/* One alone needs none: the title names it. */
static void print_legend(const struct chart *chart, FILE *out)
{
    double left = LEFT;
    for (uint32_t i = 0; i < chart->series_count && chart->series_count > 1; i++) {
        const char *name = chart->series[i].name;
        if (chart->series[i].count == 0)
            continue;
        fprintf(out,
                "<line class=\"line s%u\" x1=\"%.0f\" x2=\"%.0f\" y1=\"%d\" y2=\"%d\"/>"
                "<text class=\"tick\" x=\"%.0f\" y=\"%d\">",
                i, left, left + 16, HEIGHT - 10, HEIGHT - 10, left + 21, HEIGHT - 6);
        chart_print_escaped(name, out);
        fputs("</text>\n", out);
        left += (double)(strlen(name) * LEGEND_LETTER + LEGEND_GAP);
    }
}

void chart_print(const struct chart *chart, FILE *out)
{
    if (!chart_has_points(chart))
        return;
    struct axis x = open_axis(chart, true), y = open_axis(chart, false);
    fprintf(out, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
            HEIGHT);
    chart_print_escaped(chart->title, out);
    fputs("\">\n", out);
    print_y_axis(chart, &y, out);
    print_x_axis(chart, &x, out);
    for (uint32_t i = 0; i < chart->series_count; i++)
        print_series(&chart->series[i], i, &x, &y, out);
    print_legend(chart, out);
    fputs("</svg>\n", out);
}
