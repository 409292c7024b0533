/* One log of a journal folder (io/journal/segments.h), and its spare folder if it names one
 * (io/journal/journal_folders.h), read as they lie, for the tools: no lock is taken, nothing is
 * written, and a server may be at work on it meanwhile. What is in the folder is found out at
 * opening; bytes are read by plain pread, a segment's file opened when it is wanted. The reader
 * owns its memory. What goes wrong is said in words, since people read it. */
#ifndef KOUAN_IO_LOG_READER_H
#define KOUAN_IO_LOG_READER_H

#include <sys/types.h>

#include "core/journal_format.h"

enum {
    LOG_PROBLEM_BYTES = 512,
    LOG_HOLDER_BYTES = 128,
    LOG_PATH_BYTES = 4096,
    LOG_NAME_BYTES = 8,
    LOGS_MAX = 64 /* of a journal */
};

struct log_segment {
    uint64_t number;
    bool is_in_spare;
    uint64_t file_bytes;
    ino_t inode;
    enum status header_status; /* OK: the header is right */
    struct segment_header header;
    bool has_identities, has_seal; /* files beside it */
};

struct log_reader {
    char folder[LOG_PATH_BYTES];    /* of the journal */
    uint16_t log_number, log_count; /* which of its logs this is, and how many folders there are */
    char log_name[LOG_NAME_BYTES];  /* "00" */
    int folder_file, log_file;      /* of the journal's folder, and of the log's */
    char spare[LOG_PATH_BYTES];     /* folder; empty: there is none */
    int spare_file;                 /* of the log in it; -1: there is none */
    struct log_segment *segments;   /* by number */
    uint32_t segment_count;
    uint32_t segment_bytes;
    struct digest_secret secret;
    bool is_held;                  /* a server has it open: the log grows while it is read */
    char holder[LOG_HOLDER_BYTES]; /* what its lock says of itself */
};

/* OK; else with `out_problem`: NOT_FOUND (no such folder, or it is no journal), INCOMPLETE (it has
 * no segment yet), DENIED, UNSUPPORTED (another version), CORRUPT (not one segment
 * has a right header), IO. */
MUST_CHECK enum status log_reader_open(const char *folder, uint16_t log_number,
                                       struct log_reader *out_reader,
                                       char out_problem[LOG_PROBLEM_BYTES]);
void log_reader_close(struct log_reader *reader);
/* Each log of the journal after the other, in which there is anything. A status of `run`'s other
 * than OK ends it, INCOMPLETE since it was given up. */
MUST_CHECK enum status log_reader_each(const char *folder,
                                       enum status (*run)(void *context,
                                                          const struct log_reader *reader),
                                       void *context, char out_problem[LOG_PROBLEM_BYTES]);

const struct log_segment *log_reader_find(const struct log_reader *reader, uint64_t number);
/* Of all segments' files. */
uint64_t log_reader_bytes(const struct log_reader *reader);
/* The segment's file is still the one that was found at opening: retention has not taken it. */
bool log_reader_is_there(const struct log_reader *reader, const struct log_segment *segment);

/* What lies beside segments under a number, as "seal"; likewise. */
int log_reader_open_beside(const struct log_reader *reader, uint64_t number, const char *ending);

/* The folder of the log that the segment lies in; the reader's. */
int log_reader_folder(const struct log_reader *reader, const struct log_segment *segment);
/* The first segment that lies in the spare folder; NULL: the log did not go on there. */
const struct log_segment *log_reader_first_in_spare(const struct log_reader *reader);

/* A descriptor, to be closed, or -1 with errno. */
int log_reader_open_segment(const struct log_reader *reader, const struct log_segment *segment);

/* The wall clock when the log's own clock stood at `log_time_ms`, as near as the header of the
 * segment that the block is in tells it; 0: it does not. */
uint64_t log_reader_wall_ms(const struct log_reader *reader, uint64_t segment,
                            uint64_t log_time_ms);

/* "0000000000000007.segment" */
enum { LOG_FILE_NAME_BYTES = 32 };
void log_file_name(uint64_t number, const char *ending, char out_name[LOG_FILE_NAME_BYTES]);

#endif
