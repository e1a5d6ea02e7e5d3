/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* cli/cli.h - what commands are, and what they share.
 *
 * A command is one file with one function
 *
 *	int cli_NAME(const struct conf *, int argc, char **argv);
 *
 * and one row in the table of cli/main.c.  argv[0] is the command's name; -c
 * FILE is already taken out, wherever it stood, and --help is answered before
 * the function runs.  The configuration is NULL for commands whose row does
 * not ask for one.  Results go to stdout, complaints to stderr. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/conf.h"
#include "base/fault.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_BAD = 1,		/* the answer is bad: check errors, no such id */
	CLI_CRITICAL = 2,
	CLI_USAGE = 64,		/* usage, or a configuration error */
	CLI_NOT_RUNNING = 69,	/* the daemon is needed and not there */
};

struct cli_command {
	const char	*name;
	enum cli_conf {
		CONF_NOT,		/* it reads it itself, if at all */
		CONF_NEEDED,
		CONF_IF_THERE,		/* an empty one where the default
					   file is missing */
	}		 conf;
	int		(*run)(const struct conf *, int argc, char **argv);
	const char	*usage;		/* behind `sealane ` */
	const char	*brief;		/* for the list of all commands */
	const char	*help;		/* for --help of this one; may be NULL */
};

int	cli_serve(const struct conf *, int, char **);
int	cli_check(const struct conf *, int, char **);
int	cli_queue(const struct conf *, int, char **);
int	cli_report(const struct conf *, int, char **);
int	cli_events(const struct conf *, int, char **);
int	cli_explain(const struct conf *, int, char **);
int	cli_peer(const struct conf *, int, char **);
int	cli_cert(const struct conf *, int, char **);
int	cli_upgrade(const struct conf *, int, char **);
int	cli_version(const struct conf *, int, char **);

/* The configuration file's name, given by -c or the default one; NULL for an
 * empty configuration, after cli_allow_no_conf() where the default one is
 * missing. */
const char	*cli_conf_path(void);
void		 cli_set_conf_path(const char *);
/* The configuration; NULL when it has mistakes, which then are on stderr. */
struct conf	*cli_conf_load(void);
void		 cli_allow_no_conf(void);

/* Sends a signal to the relay that runs with that state directory.  CLI_OK;
 * CLI_NOT_RUNNING, of which nothing was said; or another exit code, and it was. */
int	cli_signal(const struct conf *, int signum, pid_t *);

/* "sealane: text" on stderr.  Both return an exit code, so that a command can
 * end with `return cli_usage(...)`: CLI_USAGE, and CLI_BAD. */
int	cli_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int	cli_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints one JSON document and takes its reference.  CLI_OK, or CLI_BAD when
 * stdout cannot be written or `doc` is NULL. */
int	cli_json(json_t *doc);

/* For json_pack(): text that may come from outside as a JSON string, invalid
 * UTF-8 replaced; null for NULL.  Returns a new reference. */
json_t	*cli_json_text(const char *);
/* RFC 3339 in UTC; null for 0. */
json_t	*cli_json_time(uint64_t wall_ms);

/* A text of an answer; "-" when it has none. */
const char	*cli_string_in(const json_t *, const char *key);

/* The exceptions that hold now, as policy says: a new reference to an array.
 * An exit code, with a sentence in the fault. */
int	cli_exceptions(const struct conf *, json_t **, struct fault *);
void	cli_print_exceptions(const json_t *);

/* ---- aligned columns ---- */

/* A table is filled cell by cell, row after row, and printed at the end, when
 * the widths are known.  Control bytes in cells are shown as `?`. */
struct cli_table;

/* `columns`: headings separated by `|`; one that begins with `>` is aligned
 * right, for numbers.  NULL: no memory, which all other calls accept. */
struct cli_table	*cli_table_new(const char *columns);
void	cli_table_cell(struct cli_table *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
size_t	cli_table_rows(const struct cli_table *);
int	cli_table_print(struct cli_table *, FILE *);	/* CLI_OK or CLI_BAD */
void	cli_table_free(struct cli_table **);

/* ---- for people ---- */
#define CLI_TEXT	32
const char	*cli_size(uint64_t bytes, char out[CLI_TEXT]);	/* 512, 64.0K, 1.5M */
/* A span of time in its two largest units: 0s, 90s as 1m30s, 3d4h. */
const char	*cli_age(uint64_t ms, char out[CLI_TEXT]);

/* The keys of sealane.conf(5) as mdoc, from the schema table. */
void	cli_schema_mdoc(FILE *);

#endif
